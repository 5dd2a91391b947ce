/**
 * The path if a browser reads it as one of this host, else `/`: the last fence before a link,
 * should a caller ever pass on what somebody else wrote. A backslash is a slash only before `?` and `#`.
 */
export function localPath(path: string): string {
  const local = /^\/(?![/\\])[^\\?#\p{Cc}\s]*(?:[?#][^\p{Cc}\s]*)?$/u.test(path)
  return local ? path : '/'
}
