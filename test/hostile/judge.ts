import assert from 'node:assert/strict'
import { foldCase } from '../../proxy/policy/fold-case.ts'
import { isOwnTarget } from '../../proxy/request/own-path.ts'
import { parseTarget } from '../../proxy/request/target.ts'
import { foldedName, valuesUnder } from '../support/counting-upstream.ts'
import { OWN_NAMES } from './header-lines.ts'
import type { HostileCase } from './hostile-case.ts'
import type { LaneAnswer } from './lane.ts'
import type { Seen } from './upstream.ts'

/** A case that was sent, with the honest request behind it. */
export type Sent = {
  readonly one: HostileCase
  /** Its body in its one reading. */
  readonly body: string
  /** What came back on the connection. */
  readonly answer: LaneAnswer
  /** What the application has seen of it, and of the honest request. */
  readonly arrivals: readonly Seen[]
  readonly arrivalsBehind: readonly Seen[]
}

/** The person of the tests' session, as `cookieOf` takes it. */
export const PERSON = { email: 'alice@example.com', groups: ['hr', 'staff'] }

/** Each value that the application is told of somebody who is signed in. */
const IDENTITY: Readonly<Record<string, RegExp>> = {
  'x-forwarded-user': /^alice$/,
  'x-forwarded-preferred-username': /^alice$/,
  'x-forwarded-email': /^alice@example\.com$/,
  'x-forwarded-groups': /^hr,staff$/,
  'x-stepgate-subject': /^subject-of-alice$/,
  'x-stepgate-acr': /^basic$/,
  'x-stepgate-amr': /^pwd$/,
  'x-stepgate-auth-time': /^\d{10}$/,
  'remote-user': /^alice$/,
}

/** Each value that it is told of every request. */
const OF_ALL: Readonly<Record<string, RegExp>> = {
  'x-forwarded-for': /^127\.0\.0\.1$/,
  'x-forwarded-proto': /^http$/,
  'x-request-id': /^[\da-f-]{36}$/,
}

const NEVER = [
  ...['http2-settings', 'proxy-connection', 'proxy', 'keep-alive'],
  ...['proxy-authorization', 'x-original-url', 'x-rewrite-url', 'x-http-method-override'],
  ...['x-host', 'x-forwarded-prefix'],
]

const NO_TRAILERS = [
  ...OWN_NAMES,
  ...NEVER,
  'host',
  'content-length',
  'transfer-encoding',
  'cookie',
]

/**
 * Throws when an application and stepgate could disagree about a request: it must have arrived once,
 * as it was judged, and with ours of each header; or not at all. Answers whether it has arrived.
 */
export function judge({ one, body, answer, arrivals, arrivalsBehind }: Sent): boolean {
  assert.ok(answer.ended, 'it has neither an answer nor an end')
  assert.ok(arrivalsBehind.length <= 1, 'the request behind it arrived more than once')
  for (const behind of arrivalsBehind) judgeBehind(behind)
  const [arrived, ...more] = arrivals
  assert.deepEqual(more, [], 'it arrived more than once')
  if (arrived === undefined) {
    judgeKept(one, answer.text)
    return false
  }
  assert.notEqual(one.kind, 'refused', 'it had to be refused')
  assert.equal(arrived.method, one.method)
  assert.equal(arrived.target, one.target)
  assert.deepEqual(valuesUnder(arrived, 'host'), [one.host])
  assert.deepEqual(valuesUnder(arrived, 'x-forwarded-host'), [one.host])
  assert.equal(arrived.body, body)
  judgeHeaders(arrived, one.signedIn)
  judgePath(arrived, one)
  return true
}

function judgeBehind(behind: Seen): void {
  assert.deepEqual([behind.method, behind.body], ['GET', ''], 'of the request behind it')
  judgeHeaders(behind, false)
}

function judgeHeaders(arrived: Seen, signedIn: boolean): void {
  for (const [name, value] of Object.entries(OF_ALL)) assertOne(arrived, name, value)
  for (const [name, value] of Object.entries(IDENTITY)) {
    if (signedIn) assertOne(arrived, name, value)
    else assert.deepEqual(valuesUnder(arrived, name), [], name)
  }
  for (const name of NEVER) assert.deepEqual(valuesUnder(arrived, name), [], name)
  assert.doesNotMatch(valuesUnder(arrived, 'cookie').join(), /stepgate/)
  assert.match(valuesUnder(arrived, 'forwarded').join(), /^(for=127\.0\.0\.1;[^,]*)?$/)
  assert.match(valuesUnder(arrived, 'te').join(), /^(trailers)?$/)
  assert.match(valuesUnder(arrived, 'upgrade').join(), /^(websocket)?$/)
  assert.match(valuesUnder(arrived, 'expect').join(), /^(100-continue)?$/)
  judgeTrailers(arrived)
  const framings = ['content-length', 'transfer-encoding'].flatMap((name) =>
    valuesUnder(arrived, name),
  )
  assert.ok(framings.length <= 1, `framed twice: ${framings}`)
  if (arrived.body !== '') assert.equal(framings.length, 1)
}

/** Some applications read trailers like headers. */
function judgeTrailers(arrived: Seen): void {
  const announced = valuesUnder(arrived, 'trailer').flatMap((value) => value.split(','))
  const sent = arrived.rawTrailers.filter((_, index) => index % 2 === 0)
  const names = new Set([...announced, ...sent].map((name) => foldedName(name.trim())))
  for (const name of NO_TRAILERS) assert.ok(!names.has(name), `the trailer ${name}`)
}

function assertOne(arrived: Seen, name: string, value: RegExp): void {
  const values = valuesUnder(arrived, name)
  assert.equal(values.length, 1, `${name}: ${JSON.stringify(values)}`)
  assert.match(values[0] ?? '', value, name)
}

/** What the server serves is what the rules judged, in one of its readings. */
function judgePath({ path, target }: Seen, { signedIn }: HostileCase): void {
  const parsed = parseTarget(target, { encodedSlashes: 'reject' })
  assert.ok(parsed.kind === 'ok' && !isOwnTarget(parsed.target), 'its target had to be refused')
  if (path === undefined) return
  const served = [path, Buffer.from(path, 'latin1').toString()].map(foldCase)
  const judged = served.find((text) => parsed.target.paths.includes(text))
  assert.ok(judged !== undefined, `served is ${JSON.stringify(path)}`)
  assert.doesNotMatch(judged, /^\/(secret|_stepgate)(\/|$)/)
  // A segment fits a rule with its parameters and without.
  if (!signedIn) assert.match(judged.replace(/;[^/]*/g, ''), /^\/public(\/|$)/)
}

function judgeKept(one: HostileCase, answer: string): void {
  const parsed = parseTarget(one.target, { encodedSlashes: 'reject' })
  if (parsed.kind === 'ok' && isOwnTarget(parsed.target)) return
  // Where a server stands between, it may have refused what stepgate let pass.
  const [, status] = /^(?:HTTP\/1\.1 100 .*?\r\n\r\n)*HTTP\/1\.1 (\d+)/s.exec(answer) ?? []
  assert.match(status ?? 'none', /^[45]/, 'it was answered but has not arrived')
}
