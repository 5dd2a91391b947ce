import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { FAILURE_WAITS, FAILURES_REMEMBERED } from '../../proxy/otp/limits.ts'
import { failuresKey } from '../../proxy/otp/verify-code.ts'
import type { Store } from '../../proxy/store/store.ts'
import { VALID_ENV } from '../config/valid-env.ts'
import { windowsOf } from '../otp/otp-parts.ts'
import { openAddress } from '../store/open-address.ts'
import { runCli } from '../support/cli.ts'
import { type Redis, startRedis } from '../support/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'stepgate-unlock-'))
const SQLITE = `sqlite:${join(folder, 'stepgate.db')}`
const SUBJECT = 'subject | 1'
let redis: Redis
before(async () => {
  redis = await startRedis({ password: true })
})
after(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true })
})

const env = (store: string) => ({ ...VALID_ENV, STEPGATE_STORE: store })

/** A store in which somebody has typed in so many wrong codes in a row just now. */
async function storeAfter(address: string, failures: number, subject = SUBJECT): Promise<Store> {
  const store = await openAddress(address)
  const now = Date.now()
  for (let n = 1; n <= failures; n++) {
    const wait = n === failures ? FAILURE_WAITS.slice(0, n) : [0]
    await store.strike(failuresKey(subject), wait, now + FAILURES_REMEMBERED, now)
  }
  return store
}

for (const [kind, address] of [
  ['SQLite file', () => SQLITE],
  ['Redis', () => redis.url],
] as const) {
  test(`unlock clears a lock in a ${kind} that is in use, and says until when it was`, async (t) => {
    const store = await storeAfter(address(), 50)
    t.after(() => store.close())
    await storeAfter(address(), 50, 'another').then((other) => other.close())
    for (let n = 0; n < 3; n++) {
      await store.count(windowsOf('person', { subject: SUBJECT }), Date.now())
    }
    const { code, stdout, stderr } = await runCli(t, ['unlock', SUBJECT], { env: env(address()) })
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^subject \| 1 was locked until (\S+Z) and may try again now; forgotten: wrong codes in a row \(50\), messages \(3\)\n$/,
    )
    const until = Date.parse(/until (\S+)/.exec(stdout)?.[1] ?? '')
    assert.ok(Math.abs(until - Date.now() - FAILURES_REMEMBERED) < 600_000)
    const { event, subject, was, failures } = JSON.parse(stderr)
    assert.deepEqual(
      { event, subject, was, failures },
      { event: 'otp.unlocked', subject: SUBJECT, was: 'locked', failures: 50 },
    )
    const now = Date.now()
    const nobody = { kind: 'counted', count: 0, until: 0 }
    assert.deepEqual(await store.strikes(failuresKey(SUBJECT), now), nobody)
    assert.equal((await store.strikes(failuresKey('another'), now)).kind, 'waiting')
    const keys = windowsOf('person', { subject: SUBJECT }).map(({ key }) => key)
    assert.deepEqual([...(await store.counts(keys, now))], [0, 0])
  })
}

test('unlock tells a wait from a lock, and either from nobody who was locked', async (t) => {
  const run = async (subject: string) => {
    const { code, stdout, stderr } = await runCli(t, ['unlock', subject], { env: env(SQLITE) })
    assert.equal(code, 0)
    return [stdout, JSON.parse(stderr).was] as const
  }
  await storeAfter(SQLITE, 12, 'waiting').then((store) => store.close())
  await storeAfter(SQLITE, 4, 'unlucky').then((store) => store.close())
  const [waited, unlucky, nobody] = await Promise.all(['waiting', 'unlucky', 'nobody'].map(run))
  assert.match(waited?.[0] ?? '', /^waiting had to wait until \S+Z and may try again now; .*\(12\)/)
  assert.equal(waited?.[1], 'waiting')
  assert.match(unlucky?.[0] ?? '', /^unlucky was not locked; forgotten: .*\(4\), messages \(0\)/)
  assert.equal(unlucky?.[1], 'open')
  assert.match(nobody?.[0] ?? '', /^nobody was not locked, and there is nothing to forget: is this/)
})

test('unlock says why it can not, and makes no store of its own', async (t) => {
  const missing = join(folder, 'nothing', 'stepgate.db')
  const [memory, nowhere, foreign] = await Promise.all(
    ['memory:', `sqlite:${missing}`, `sqlite:${import.meta.filename}`].map((store) =>
      runCli(t, ['unlock', SUBJECT], { env: env(store) }),
    ),
  )
  for (const end of [memory, nowhere, foreign]) {
    assert.deepEqual([end?.code, end?.stdout], [1, ''])
  }
  assert.match(memory?.stderr ?? '', /STEPGATE_STORE is memory: .* a restart clears them\n$/)
  assert.match(nowhere?.stderr ?? '', new RegExp(`there is no store at ${missing}: run this where`))
  assert.match(foreign?.stderr ?? '', /not a database; look at STEPGATE_STORE/)
  assert.equal(existsSync(join(folder, 'nothing')), false)
})

test('unlock without a subject, or with two, gets the usage and 64', async (t) => {
  for (const args of [['unlock'], ['unlock', ''], ['unlock', 'one', 'two']]) {
    const { code, stdout, stderr } = await runCli(t, args, { env: env(SQLITE) })
    assert.deepEqual([code, stdout], [64, ''])
    assert.match(stderr, /unlock takes one subject/)
  }
})
