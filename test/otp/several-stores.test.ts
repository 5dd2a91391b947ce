import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { FAILURE_WAITS, FAILURES_REMEMBERED } from '../../proxy/otp/limits.ts'
import { failuresKey, readLock } from '../../proxy/otp/verify-code.ts'
import { NOW } from '../session/session-sample.ts'
import { openAddress } from '../store/open-address.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { basicSession, codeSteps, DAY, PHONE, windowsOf } from './otp-parts.ts'

const folder = mkdtempSync(join(tmpdir(), 'stepgate-several-'))
let redis: Redis
before(async () => {
  redis = await startRedis()
})
after(async () => {
  await redis.stop()
  rmSync(folder, { recursive: true })
})

let files = 0
const KINDS: Record<string, () => string> = {
  'three stores over one file': () => `sqlite:${join(folder, `${++files}.db`)}`,
  'three stores over one Redis': () => `${redis.url}?prefix=several-${++files}`,
}

for (const [kind, newAddress] of Object.entries(KINDS)) {
  describe(kind, () => overOne(newAddress))
}

/** What three processes do with one store. */
function overOne(newAddress: () => string): void {
  let replicas: ReturnType<typeof codeSteps>[] = []
  beforeEach(async () => {
    const address = newAddress()
    const stores = await Promise.all([1, 2, 3].map(() => openAddress(address)))
    replicas = stores.map((store) => codeSteps(store))
  })
  afterEach(() => Promise.all(replicas.map(({ parts }) => parts.store.close())))
  const replica = (n: number) => {
    const one = replicas[n % 3]
    assert.ok(one)
    return one
  }
  const messages = () => replicas.flatMap(({ sent }) => sent)

  test('500 sends at once for one session give one message', async () => {
    const issued = await Promise.all(
      Array.from({ length: 500 }, (_, n) => replica(n).issue(basicSession(), NOW)),
    )
    assert.equal(messages().length, 1)
    const kinds = Object.groupBy(issued, ({ kind }) => kind)
    assert.equal(kinds.sent?.length, 1)
    const ids = new Set(issued.flatMap((one) => ('challenge' in one ? [one.challenge.id] : [])))
    assert.equal(ids.size, 1)
  })

  test('500 sends at once for one person from 50 sessions give ten messages, one for each code', async () => {
    const issued = await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        replica(n).issue(basicSession({ family: `family-${n % 50}` }), NOW),
      ),
    )
    assert.equal(messages().length, 10)
    const sent = issued.flatMap((one) => (one.kind === 'sent' ? [one.challenge] : []))
    assert.equal(sent.length, 10)
    assert.equal(new Set(sent.map(({ family }) => family)).size, 10)
    for (const name of ['person', 'number'] as const) {
      const keys = windowsOf(name).map(({ key }) => key)
      assert.deepEqual([...(await replica(0).parts.store.counts(keys, NOW))], [10, 10])
    }
    const limited = issued.flatMap((one) => (one.kind === 'limited' ? [one.by] : []))
    assert.deepEqual([...new Set(limited)], ['person'])
  })

  test('200 guesses at once of somebody locked are not compared and do not prolong the lock', async () => {
    await replica(0).issue(basicSession(), NOW)
    const { store } = replica(0).parts
    const key = failuresKey('subject-1')
    const until = NOW + FAILURES_REMEMBERED
    for (let n = 0; n < 49; n++) await store.strike(key, [0], until, NOW)
    await store.strike(key, FAILURE_WAITS, until, NOW)
    const locked = { kind: 'locked', locked: true, until: NOW + DAY }
    const code = messages()[0]?.body ?? ''
    const guesses = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        replica(n).verify(basicSession(), n % 2 === 0 ? code : '000000', NOW + 1000),
      ),
    )
    for (const guess of guesses) assert.deepEqual(guess, locked)
    for (const { parts } of replicas) {
      assert.deepEqual(await readLock(parts, 'subject-1', NOW + DAY - 1), locked)
      assert.equal(await readLock(parts, 'subject-1', NOW + DAY), undefined)
    }
    assert.equal((await store.strikes(key, NOW + 1000)).count, 50)
    assert.equal(messages()[0]?.to, PHONE)
  })
}
