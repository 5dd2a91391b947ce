import { Agent, request } from 'undici'
import type { Client } from './cookie-jar.ts'

/**
 * Loads a page 500 times at once over 50 connections, as this browser would, and answers how often
 * each status came.
 */
export async function loadManyTimes(browser: Client, url: URL): Promise<Record<string, number>> {
  const dispatcher = new Agent({ connections: 50, pipelining: 10 })
  const cookies = Object.entries(browser.cookies(url)).map(([name, value]) => `${name}=${value}`)
  const headers = { accept: 'text/html', cookie: cookies.join('; '), 'sec-fetch-mode': 'navigate' }
  const load = async () => {
    const { statusCode, body } = await request(url, { dispatcher, headers })
    const field = /<input[^>]*name="code"/.test(await body.text())
    return field ? String(statusCode) : `${statusCode} without a field`
  }
  const answers = await Promise.all(Array.from({ length: 500 }, load))
  await dispatcher.close()
  return Object.fromEntries(
    Object.entries(Object.groupBy(answers, (answer) => answer)).map(([answer, all]) => [
      answer,
      all?.length ?? 0,
    ]),
  )
}
