import { isIPv4 } from 'node:net'

/**
 * Whether a URL's hostname never leaves this machine: `localhost`, `*.localhost` (RFC 6761 §6.3),
 * 127.0.0.0/8, `[::1]`. Names are not looked up.
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase()
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    (isIPv4(host) && host.startsWith('127.'))
  )
}
