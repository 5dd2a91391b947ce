import { Pool } from 'undici'
import { phoneOf } from './people.ts'

/** One person's browser, back from the provider. */
export type Arrival = {
  readonly phone: string
  /** Path and query of the callback. */
  readonly callback: string
  readonly cookies: Map<string, string>
}

/** Way of people through one stepgate. */
export type Flows = {
  /** Sends a person to the provider and back to the door. */
  arrive(person: number): Promise<Arrival>
  /** Callback, the page asked for, code page, right code. The ms that the last of them took. */
  finish(arrival: Arrival): Promise<number>
  /** What stepgate says of the session. */
  acr(arrival: Arrival): Promise<string>
  close(): Promise<void>
}

type Got = { readonly status: number; readonly location: string; readonly text: string }

const PAGE = '/payroll'

/** Flows through the stepgate at `door`, as a browser takes them. Rejects when one goes elsewhere. */
export function createFlows(door: string, standIns: string): Flows {
  const gate = new Pool(door)
  const others = new Pool(standIns)

  async function visit(path: string, cookies: Map<string, string>, form?: URLSearchParams) {
    const { statusCode, headers, body } = await gate.request({
      path,
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'accept-language': 'en-US,en;q=0.5',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...(cookies.size > 0 && { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }),
        ...(form !== undefined && {
          origin: door,
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
        }),
      },
      body: form === undefined ? null : `${form}`,
    })
    for (const cookie of [headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return { status: statusCode, location: String(headers.location), text: await body.text() }
  }

  async function ask(path: string): Promise<Got> {
    const { statusCode, headers, body } = await others.request({ path, method: 'GET' })
    return { status: statusCode, location: String(headers.location), text: await body.text() }
  }

  return {
    async arrive(person) {
      const cookies = new Map<string, string>()
      const start = expectTo(await visit(PAGE, cookies), standIns)
      const asked = `${start.slice(standIns.length)}&login_hint=${person}`
      const callback = expectTo(await ask(asked), `${door}/_stepgate/callback`)
      return { phone: phoneOf(person), callback: callback.slice(door.length), cookies }
    },
    async finish({ phone, callback, cookies }) {
      expectTo(await visit(callback, cookies), PAGE)
      const codePage = expectTo(await visit(PAGE, cookies), '/_stepgate/otp')
      const shown = await visit(codePage, cookies)
      if (!shown.text.includes('name="code"')) throw new Error(`No code page: ${shown.status}`)
      const { text: code } = await ask(`/code?to=${encodeURIComponent(phone)}`)
      const form = new URLSearchParams({ code, return_to: PAGE })
      const began = performance.now()
      expectTo(await visit('/_stepgate/otp', cookies, form), PAGE)
      return performance.now() - began
    },
    async acr({ cookies }) {
      return JSON.parse((await visit('/_stepgate/session', cookies)).text).acr
    },
    async close() {
      await Promise.all([gate.close(), others.close()])
    },
  }
}

function expectTo({ status, location }: Got, start: string): string {
  if (!location.startsWith(start)) throw new Error(`${status} to ${location} instead of ${start}`)
  return location
}
