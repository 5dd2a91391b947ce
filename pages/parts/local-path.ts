/**
 * The path if a browser reads it as one of this host, else `/`: the last fence before a link,
 * should a caller ever pass on what somebody else wrote.
 */
export function localPath(path: string): string {
  const local = /^\/(?![/\\])[^\\\p{Cc}\s]*$/u.test(path)
  return local ? path : '/'
}

/** The URL if it is a local path or absolute http(s), else `/`. */
export function webAddress(address: string): string {
  const url = /^https?:\/\/[^\\\p{Cc}\s]+$/iu.test(address) ? URL.parse(address) : null
  return url === null ? localPath(address) : url.href
}
