import type { TestContext } from 'node:test'
import { rawClient } from '../upstream/sockets.ts'
import type { Client } from './cookie-jar.ts'

/** A request as bytes: its line, headers one by one, a body. Nothing is added. */
export function rawRequest(line: string, headers: readonly string[], body = ''): string {
  return `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`
}

/** Sends bytes and answers all that came back until the connection ended. */
export async function sendRaw(t: TestContext, port: number | string, bytes: string) {
  const { text } = await rawClient(t, Number(port), bytes).ended
  return text
}

/** The statuses of all responses in a text, in order. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

/** The value of a header of the first response. */
export function headerOf(text: string, name: string): string | undefined {
  const head = text.split('\r\n\r\n', 1)[0] ?? ''
  return new RegExp(`^${name}: (.*?)\\r?$`, 'im').exec(head)?.[1]
}

/** stepgate's cookies of a browser as a header; others on the same host are left out. */
export function cookieLine(browser: Client, url: URL): string {
  const own = browser.cookieList(url).filter(({ name }) => name.includes('stepgate'))
  const pairs = own.map(({ name, value }) => `${name}=${value}`)
  return `Cookie: ${pairs.join('; ')}`
}
