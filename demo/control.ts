import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../proxy/config/loopback.ts'
import { isSameOrigin } from '../proxy/request/same-origin.ts'
import { planOf } from './fates.ts'
import { readBody } from './read-body.ts'
import type { TwilioStandIn } from './twilio-api.ts'
import { readPlan } from './twilio-plan.ts'

/** `done` goes back to the page that the form was on. */
export type Controlled =
  | { readonly kind: 'json'; readonly status: number; readonly body: object }
  | { readonly kind: 'done' }

/**
 * `/control`: GET shows what is planned for the next requests, POST changes it, by JSON or by the
 * form on the phone's page. Only for this machine, and for no page of another site.
 */
export async function control(standIn: TwilioStandIn, req: IncomingMessage): Promise<Controlled> {
  if (!isLocal(req)) return problem(403, 'the stand-in is controlled from this machine only')
  if (req.method === 'GET') return { kind: 'json', status: 200, body: standIn.plan() }
  if (req.method !== 'POST') return problem(405, 'GET shows what is planned, POST changes it')
  const text = await readBody(req)
  if (text === undefined) return problem(413, 'this is longer than 64 KiB')
  if (text.startsWith('fate=')) {
    const chosen = planOf(new URLSearchParams(text))
    if (chosen === undefined) return problem(400, 'this is none of the choices on the page')
    standIn.setPlan(chosen)
    return { kind: 'done' }
  }
  const read = readPlan(text)
  if (read.kind === 'wrong') return problem(400, read.problem)
  standIn.setPlan(read.plan)
  return { kind: 'json', status: 200, body: standIn.plan() }
}

function problem(status: number, error: string): Controlled {
  return { kind: 'json', status, body: { error } }
}

// The host is compared too, or a foreign name that leads to this machine would do.
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const address = socket.remoteAddress ?? ''
  const isLoopback = address === '::1' || /^(::ffff:)?127\./.test(address)
  const url = URL.parse(`http://${headers.host}`)
  return isLoopback && url !== null && isLoopbackHost(url.hostname) && isSameOrigin(headers, url)
}
