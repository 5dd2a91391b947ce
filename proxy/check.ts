import { readFile } from 'node:fs/promises'
import type { Config, Secrets, UpstreamAddress, UpstreamTls } from './config/config.ts'
import { MASK } from './config/describe-config.ts'
import { writePlace } from './config/parse-upstreams.ts'
import { writeAddress } from './config/parse-url.ts'
import { writeStore } from './config/write-store.ts'
import { errorCode } from './error-code.ts'
import { explainFailure } from './explain-failure.ts'
import { describeCertificate, problemOfPair } from './listener/certificate.ts'
import { createLog } from './log.ts'
import { networkWords } from './network-words.ts'
import { loadPageSet } from './page-set.ts'
import type { PartCheck } from './part-check.ts'
import { createDirectory } from './phone/create-directory.ts'
import { createProvider } from './sign-in/provider-openid.ts'
import { createTwilioSender } from './sms/sender-twilio.ts'
import { openStore } from './store/open-store.ts'
import { createPool, RESET } from './upstream/pool-undici.ts'

const QUIET = createLog({ level: 'silent', access: false })

/**
 * `stepgate check`: tries every part that stepgate depends on for real, prints one line each with
 * what to do, and says whether all is well. Nothing is sent to anybody.
 */
export async function checkParts(
  config: Config,
  secrets: Secrets,
  print: (line: string) => void,
): Promise<boolean> {
  const { tls } = config
  const parts: readonly (readonly [string, () => Promise<PartCheck>])[] = [
    ...(tls === undefined ? [] : [['TLS', () => checkTls(tls, config.publicUrl)] as const]),
    ['OpenID provider', () => checkProvider(config, secrets)],
    ['Numbers', () => checkDirectory(config, secrets)],
    ['Twilio', () => checkTwilio(config, secrets)],
    ...upstreamChecks(config),
    ['Store', () => checkStore(config, secrets)],
    ['Pages', () => checkPages(config)],
  ]
  const results = await Promise.all(
    parts.map(async ([name, check]) => ({ name, ...(await safely(check)) })),
  )
  for (const { name, kind, detail } of results) {
    print(`${kind === 'ok' ? 'ok     ' : 'PROBLEM'}  ${name}: ${detail}`)
  }
  return results.every(({ kind }) => kind === 'ok')
}

async function safely(check: () => Promise<PartCheck>): Promise<PartCheck> {
  try {
    return await check()
  } catch (error) {
    return { kind: 'problem', detail: explainFailure(error) }
  }
}

/** What no program can see from here, the operator is told: what has to be registered there. */
async function checkProvider(config: Config, secrets: Secrets): Promise<PartCheck> {
  const { oidc, publicUrl } = config
  const redirectUri = new URL('/_stepgate/callback', publicUrl)
  const signedOut = new URL('/_stepgate/signed-out', publicUrl)
  const provider = createProvider(oidc, secrets.oidcCredential, QUIET)
  const { kind, detail } = await provider.check(redirectUri)
  if (kind === 'problem') return { kind, detail }
  if (config.bearer?.introspection !== undefined) {
    const asked = await provider.introspect('stepgate-check')
    if (asked.kind === 'unavailable') {
      const todo = 'let it allow the client to ask, or turn STEPGATE_BEARER_INTROSPECTION off'
      return {
        kind: 'problem',
        detail: `${detail}, but it does not say whether a token is good (${asked.code}); ${todo}`,
      }
    }
  }
  const register = `register there ${redirectUri.href} for sign-in and ${signedOut.href} for sign-out`
  return { kind, detail: `${detail}; ${register}` }
}

async function checkTwilio({ twilio }: Config, secrets: Secrets): Promise<PartCheck> {
  const { kind, detail } = await createTwilioSender(twilio, secrets.twilioSecret).check()
  if (kind === 'problem') return { kind, detail }
  const reports = twilio.statusCallback
    ? `it will report deliveries to ${twilio.statusCallback.href}, which it has to reach`
    : secrets.twilioToken === undefined
      ? 'it is not asked to report deliveries, as that needs STEPGATE_TWILIO_TOKEN'
      : 'it is not asked to report deliveries, as STEPGATE_PUBLIC_URL is not an address that it can reach from the internet'
  return { kind, detail: `${detail}; ${reports}` }
}

async function checkDirectory(config: Config, secrets: Secrets): Promise<PartCheck> {
  if (config.phoneSource === 'claims') {
    const detail =
      "they come with the sign-in, as the provider's claims phone_number and phone_number_verified"
    const asked = config.oidc.scopes.includes('phone')
    return {
      kind: 'ok',
      detail: asked
        ? detail
        : `${detail}; STEPGATE_OIDC_SCOPES does not ask for phone, where most providers have them`,
    }
  }
  const directory = createDirectory(config, secrets, QUIET)
  try {
    return await directory.check()
  } finally {
    await directory.close()
  }
}

const NOTHING_FORWARDED: PartCheck = {
  kind: 'ok',
  detail: 'nothing is forwarded; proxies in STEPGATE_TRUSTED_PROXIES ask /_stepgate/auth',
}

/** Each address of each application, once, as that of the first that has it. */
function upstreamChecks({
  upstreams,
  upstreamTls,
}: Config): readonly [string, () => Promise<PartCheck>][] {
  const checks = new Map<string, [string, () => Promise<PartCheck>]>()
  if (upstreams.length === 0) return [['Application', async () => NOTHING_FORWARDED]]
  for (const upstream of upstreams) {
    const name = upstreams.length > 1 ? `Application ${writePlace(upstream)}` : 'Application'
    for (const address of upstream.addresses) {
      const key = writeAddress(address)
      if (!checks.has(key)) checks.set(key, [name, () => checkUpstream(address, upstreamTls)])
    }
  }
  return [...checks.values()]
}

/** Any answer will do: what the application answers to nobody is its own affair. */
async function checkUpstream(
  upstream: UpstreamAddress,
  tls: UpstreamTls | undefined,
): Promise<PartCheck> {
  const place = writeAddress(upstream)
  const times = { connectTimeout: 5_000, headersTimeout: 10_000, bodyTimeout: 10_000, tls }
  const pool = createPool(upstream, times)
  try {
    const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
    // Only its beginning is asked for; a page of any length or one that never ends is fine.
    body.on('error', () => {}).destroy()
    return { kind: 'ok', detail: `${place} answers (HTTP ${statusCode})` }
  } catch (error) {
    const words = networkWords(errorCode(error))
    const detail = `${place} was not reached: ${words}; ${adviseOnUpstream(errorCode(error) ?? '', place.startsWith('https:'))}`
    return { kind: 'problem', detail }
  } finally {
    await pool.destroy()
  }
}

/** How a connection ends of which a server with TLS 1.3 did not like the certificate. */
const RESETS: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', RESET])

function adviseOnUpstream(code: string, tls: boolean): string {
  if (/^ERR_SSL.*ALERT/.test(code)) {
    return 'STEPGATE_UPSTREAM_CERT_FILE and STEPGATE_UPSTREAM_KEY_FILE are what it is shown'
  }
  if (code.includes('ALTNAME')) {
    return 'STEPGATE_UPSTREAM_SERVER_NAME is what the certificate must be for, if not the host'
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return 'STEPGATE_UPSTREAM_CA_FILE names a file with the only authority that is to be trusted here'
  }
  if (tls && RESETS.has(code)) {
    return 'if it wants a certificate, STEPGATE_UPSTREAM_CERT_FILE and STEPGATE_UPSTREAM_KEY_FILE are what it is shown'
  }
  return 'is the application running, and STEPGATE_UPSTREAM right?'
}

/** Whether browsers will be able to use it, as far as that can be seen from here. */
async function checkTls({ certFile, keyFile }: NonNullable<Config['tls']>, publicUrl: URL) {
  const pair = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') }
  const problem = problemOfPair(pair)
  const variables = 'STEPGATE_TLS_CERT_FILE and STEPGATE_TLS_KEY_FILE'
  if (problem !== undefined)
    return { kind: 'problem', detail: `${problem}; look at ${variables}` } as const
  const { names, validFrom, validUntil, isFor } = describeCertificate(pair.cert)
  const [now, until] = [Date.now(), validUntil.toISOString().slice(0, 10)]
  if (now < validFrom.getTime() || now > validUntil.getTime()) {
    const detail = `the certificate for ${names} is not valid today (until ${until}); renew the file that STEPGATE_TLS_CERT_FILE names`
    return { kind: 'problem', detail } as const
  }
  const detail = `the certificate is for ${names}, until ${until}`
  const { hostname } = publicUrl
  return isFor(hostname)
    ? ({ kind: 'ok', detail } as const)
    : ({
        kind: 'ok',
        detail: `${detail}; not for ${hostname}, which is fine only behind a proxy that does not mind`,
      } as const)
}

async function checkStore({ store: settings }: Config, secrets: Secrets): Promise<PartCheck> {
  const store = await openStore(settings, secrets.store)
  await store.close()
  if (settings.kind === 'memory') return { kind: 'ok', detail: 'in memory' }
  if (settings.kind === 'sqlite') return { kind: 'ok', detail: `${settings.path} can be written` }
  const { adviseOnRedis } = await import('./store/redis-advice.ts')
  const advice = await adviseOnRedis(settings, secrets.store)
  const detail = `${writeStore(settings, secrets.store, MASK)} can be written`
  return { kind: 'ok', detail: advice === undefined ? detail : `${detail}; ${advice}` }
}

async function checkPages(config: Config): Promise<PartCheck> {
  await loadPageSet(config)
  const { pagesDir } = config
  return {
    kind: 'ok',
    detail: pagesDir === undefined ? 'built in' : `with the files of ${pagesDir}`,
  }
}
