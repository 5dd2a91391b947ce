const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the host name does not resolve'],
  [/^ENOENT$/, 'there is no such socket'],
  [/^(EACCES|EPERM)$/, 'stepgate may not connect there'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'there is no way to that address'],
  [/TIMEOUT|TIMEDOUT|ABORT/, 'no answer came in time'],
  [
    /^ERR_SSL.*ALERT.*(CERT|UNKNOWN_CA)/,
    'it does not accept the certificate that it is shown, or misses one',
  ],
  [/ALTNAME/, 'its certificate is for another host name'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid today'],
  [
    /CERT|SIGNATURE|ISSUER/,
    'its certificate is not trusted; NODE_EXTRA_CA_CERTS can name a file with the authority that issued it',
  ],
  [/^(ERR_SSL|EPROTO|ERR_OSSL)/, 'it does not speak TLS there; is http:// meant?'],
]

/** What Node's or undici's code of a failed connection means, as half a sentence with the code. */
export function networkWords(code: string | undefined): string {
  const known = WORDS.find(([pattern]) => pattern.test(code ?? ''))
  const words = known?.[1] ?? 'the connection broke off'
  return code === undefined ? words : `${words} (${code})`
}
