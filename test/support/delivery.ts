import { signCallback } from '../../demo/twilio-callbacks.ts'
import type { Client } from './cookie-jar.ts'
import type { World } from './world.ts'

/** What the code page's script is told. */
export type News = { kind: string; final: boolean; text?: string[] }

/** Where Twilio reports to. */
export const STATUS = '/_stepgate/twilio/status'

/** Posts a form as somebody on the internet may; signed with `token` for `url` if there is a token. */
export async function postStatus(
  world: World,
  form: URLSearchParams | string,
  { token, url = new URL(STATUS, world.url).href }: { token?: string; url?: string } = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const signed = new URLSearchParams(form)
  return fetch(new URL(STATUS, world.url), {
    method: 'POST',
    body: form.toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(token !== undefined && { 'x-twilio-signature': signCallback(token, url, signed) }),
      ...headers,
    },
  })
}

/** The page's events as they come; `next` is undefined when there are no more. */
export async function openEvents({ url: at }: Pick<World, 'url'>, browser: Client) {
  const url = new URL('/_stepgate/otp/events', at)
  const cookie = Object.entries(browser.cookies(url))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
  const abort = new AbortController()
  const answer = await fetch(url, {
    headers: { cookie, accept: 'text/event-stream', 'accept-language': 'en' },
    signal: abort.signal,
  })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    answer,
    async next(): Promise<News | undefined> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end < 0) {
          const read = await reader?.read()
          if (read === undefined || read.done) return undefined
          text += read.value
          continue
        }
        const event = text.slice(0, end)
        text = text.slice(end + 2)
        if (event.startsWith('data: ')) return JSON.parse(event.slice(6))
      }
    },
    close: () => abort.abort(),
  }
}
