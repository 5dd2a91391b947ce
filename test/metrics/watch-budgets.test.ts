import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPromMeter } from '../../proxy/metrics/meter-prom.ts'
import { watchBudgets } from '../../proxy/metrics/watch-budgets.ts'
import type { SmsState } from '../../proxy/otp/sms-alarms.ts'
import { StoreUnavailableError } from '../../proxy/store/store.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { readExposition } from '../support/exposition.ts'

const { config } = loadedOk(loadWith({ STEPGATE_SMS_BUDGET: '500', STEPGATE_VOICE_BUDGET: '70' }))

test('budgets are asked for at each reading, and absent while the store is away', async () => {
  const state: SmsState = { used: { sms: 400, call: 3 }, share: { codes: 90, verified: 80 } }
  const times: number[] = []
  let away = false
  const meter = createPromMeter()
  const read = async (now: number) => {
    times.push(now)
    if (away) throw new StoreUnavailableError(undefined)
    return state
  }
  let now = 1000
  watchBudgets(meter, { read }, config, () => now)
  const lines = async () => {
    const { samples } = readExposition(await meter.exposition.text())
    return samples
      .filter(({ name }) => /^stepgate_(budget|budget_used|recent_codes)$/.test(name))
      .map(({ name, labels, value }) => [name, ...Object.values(labels), value].join(' '))
  }
  const budgets = ['stepgate_budget sms 500', 'stepgate_budget call 70']
  const found = [
    ...budgets,
    'stepgate_budget_used sms 400',
    'stepgate_budget_used call 3',
    'stepgate_recent_codes made 90',
    'stepgate_recent_codes verified 80',
  ]
  assert.deepEqual(await lines(), found)
  away = true
  now = 2000
  assert.deepEqual(await lines(), budgets)
  away = false
  assert.deepEqual(await lines(), found)
  assert.deepEqual(times, [1000, 2000, 2000])
})
