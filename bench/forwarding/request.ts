/**
 * A browser's request for the small page, or for another; with a body of `length` bytes, which is not
 * in it, a POST. `cookie` is the session's; the application has one too.
 */
export function requestOf(
  origin: string,
  cookie: string,
  path = '/small',
  length?: number,
): string {
  const lines = [
    `${length === undefined ? 'GET' : 'POST'} ${path}?page=2&sort=name HTTP/1.1`,
    `Host: ${new URL(origin).host}`,
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Connection: keep-alive',
    `Cookie: app=9f86d081884c7d659a2feaa0c55ad015; ${cookie}`,
  ]
  if (length !== undefined) lines.push(`Content-Length: ${length}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
