import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personKeys } from '../../proxy/otp/send-limits.ts'
import { unlockPerson } from '../../proxy/otp/unlock-person.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, overStores } from './otp-parts.ts'

overStores('unlocking a person', (open) => {
  test('forgets messages to her and calls alike', async () => {
    const { parts, issue } = codeSteps(open())
    const { limits, store } = parts
    const keys = (['sms', 'call'] as const).flatMap((channel) =>
      personKeys(channel, limits[channel], 'subject-1'),
    )
    await issue(basicSession(), NOW)
    await store.count(
      keys.map((key) => ({ key, limit: 9, windowMs: 60_000 })),
      NOW,
    )
    assert.equal((await unlockPerson(parts, 'subject-1', NOW)).messages, 2)
    assert.deepEqual([...(await store.counts(keys, NOW))], [0, 0, 0, 0])
  })
})
