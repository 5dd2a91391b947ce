import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../proxy/log.ts'
import { logAlarm } from '../../proxy/otp/log-alarm.ts'
import { budgetKey } from '../../proxy/otp/send-limits.ts'
import { createSmsAlarms, type SmsAlarm } from '../../proxy/otp/sms-alarms.ts'
import { codeWindows, openCodeKey } from '../../proxy/otp/verified-share.ts'
import type { Channel } from '../../proxy/sms/sender.ts'
import type { Store } from '../../proxy/store/store.ts'
import { DAY, MINUTE, overStores, TTL } from './otp-parts.ts'

const HOUR = 60 * MINUTE
// The beginning of five minutes.
const NOW = Math.ceil(1_700_000_000_000 / (5 * MINUTE)) * 5 * MINUTE

/** Three processes over one store; what any of them raised. */
function processes(
  store: Store,
  settings: { budgets?: Record<Channel, number>; verifiedAlarm?: number } = {},
) {
  const raised: SmsAlarm[] = []
  const all = [1, 2, 3].map(() => {
    const alarms = createSmsAlarms(store, {
      budgets: { sms: 10, call: 4 },
      verifiedAlarm: 0.5,
      ttl: TTL,
      ...settings,
    })
    alarms.subscribe((alarm) => raised.push(alarm))
    return alarms
  })
  return {
    raised,
    read: (now: number) => Promise.all(all.map((alarms) => alarms.read(now))),
    look: (now: number, channel: Channel = 'sms') =>
      Promise.all(all.map((alarms) => alarms.look(channel, now))),
    spent: (until: number, now: number, channel: Channel = 'sms') =>
      Promise.all(all.map((alarms) => alarms.budgetSpent(channel, until, now))),
  }
}

async function spend(
  store: Store,
  messages: number,
  now: number,
  channel: Channel = 'sms',
): Promise<void> {
  const window = { key: budgetKey(channel), limit: 1000, windowMs: DAY }
  for (let n = 0; n < messages; n++) await store.count([window], now)
}

/** So many codes made at one moment, and so many of them used. */
async function codes(store: Store, made: number, used: number, at: number): Promise<void> {
  for (let n = 0; n < made; n++) await store.count(codeWindows(at), at)
  await store.uncount(Array<string>(used).fill(openCodeKey(at)), at)
}

overStores('what is read of budgets and codes', (open) => {
  test('is what all processes have used, and raises nothing', async () => {
    const store = open()
    const { raised, read } = processes(store)
    await spend(store, 10, NOW)
    await spend(store, 3, NOW, 'call')
    await codes(store, 40, 1, NOW)
    const later = NOW + TTL + 10 * MINUTE
    for (const state of await read(later)) {
      assert.deepEqual(state, { used: { sms: 10, call: 3 }, share: { codes: 40, verified: 1 } })
    }
    assert.deepEqual(raised, [])
    const [nextDay] = await read(NOW + DAY)
    assert.deepEqual(nextDay?.used, { sms: 0, call: 0 })
  })
})

overStores('the budget’s alarms', (open) => {
  test('come at 80 %, once for all processes, and again the next day', async () => {
    const store = open()
    const { raised, look } = processes(store)
    await spend(store, 7, NOW)
    await look(NOW)
    assert.deepEqual(raised, [])
    await spend(store, 1, NOW)
    for (const later of [0, 1, HOUR]) await look(NOW + later)
    assert.deepEqual(raised, [{ kind: 'budget_warning', channel: 'sms', used: 8, budget: 10 }])
    await look(NOW + DAY)
    assert.equal(raised.length, 1)
    await spend(store, 9, NOW + DAY)
    await look(NOW + DAY)
    assert.deepEqual(raised[1], { kind: 'budget_warning', channel: 'sms', used: 9, budget: 10 })
  })

  test('come again with the next day of the budget, however late in the last they came', async () => {
    const store = open()
    const { raised, look } = processes(store)
    await spend(store, 1, NOW)
    await spend(store, 7, NOW + 20 * HOUR)
    await look(NOW + 20 * HOUR)
    await look(NOW + DAY - 1)
    assert.equal(raised.length, 1)
    for (const later of [25, 26, 27]) {
      await spend(store, 3, NOW + later * HOUR)
      await look(NOW + later * HOUR)
    }
    assert.deepEqual(raised[1], { kind: 'budget_warning', channel: 'sms', used: 9, budget: 10 })
    await look(NOW + 25 * HOUR + DAY - 1)
    assert.equal(raised.length, 2)
    assert.deepEqual([...(await store.counts([budgetKey('sms')], NOW + 27 * HOUR))], [9])
  })

  test('say that it is spent once until its day ends', async () => {
    const { raised, spent } = processes(open())
    const until = NOW + HOUR
    await spent(until, NOW)
    await spent(until, until - 1)
    assert.deepEqual(raised, [{ kind: 'budget_spent', channel: 'sms', budget: 10, until }])
    await spent(until + DAY, until)
    assert.equal(raised.length, 2)
  })

  test('are those of calls apart from those of messages', async () => {
    const store = open()
    const { raised, look, spent } = processes(store)
    await spend(store, 8, NOW)
    await look(NOW, 'call')
    assert.deepEqual(raised, [])
    await spend(store, 4, NOW, 'call')
    await look(NOW)
    await look(NOW, 'call')
    await spent(NOW + HOUR, NOW)
    await spent(NOW + HOUR, NOW, 'call')
    assert.deepEqual(
      raised.map(
        (alarm: SmsAlarm) => 'channel' in alarm && [alarm.kind, alarm.channel, alarm.budget],
      ),
      [
        ['budget_warning', 'sms', 10],
        ['budget_warning', 'call', 4],
        ['budget_spent', 'sms', 10],
        ['budget_spent', 'call', 4],
      ],
    )
  })
})

overStores('pumping is suspected', (open) => {
  test('when less than the share of an hour’s codes was used, once an hour', async () => {
    const store = open()
    const { raised, look } = processes(store)
    await codes(store, 20, 10, NOW)
    await codes(store, 20, 9, NOW + 40 * MINUTE)
    await look(NOW + 50 * MINUTE)
    const suspicion = { kind: 'pumping_suspected', codes: 40, verified: 19 }
    assert.deepEqual(raised, [suspicion])
    for (let minute = 51; minute < 60; minute++) await look(NOW + minute * MINUTE)
    assert.equal(raised.length, 1)
    await codes(store, 40, 0, NOW + 65 * MINUTE)
    await look(NOW + 50 * MINUTE + HOUR)
    assert.equal(raised.length, 2)
  })

  test('not when that share was used, nor of too few codes, nor at 0 %', async () => {
    for (const [made, used, verifiedAlarm] of [
      [40, 20, 0.5],
      [29, 0, 0.5],
      [40, 0, 0],
    ] as const) {
      const store = open()
      const { raised, look } = processes(store, { verifiedAlarm })
      await codes(store, made, used, NOW)
      await look(NOW + 20 * MINUTE)
      assert.deepEqual(raised, [])
    }
  })

  test('of no code that may still be used, and of none that is older than an hour', async () => {
    const store = open()
    const { raised, look } = processes(store)
    await codes(store, 40, 0, NOW)
    await look(NOW + 10 * MINUTE - 1)
    await look(NOW + 70 * MINUTE)
    assert.deepEqual(raised, [])
    const late = processes(store)
    await late.look(NOW + 10 * MINUTE)
    assert.equal(late.raised.length, 1)
    const last = open()
    const other = processes(last)
    await codes(last, 40, 0, NOW)
    await other.look(NOW + 70 * MINUTE - 1)
    assert.equal(other.raised.length, 1)
  })
})

test('each alarm is an event and a sentence that says what to look at', () => {
  const lines: Record<string, unknown>[] = []
  const log = createLog(
    { level: 'info', access: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  )
  logAlarm(log, { kind: 'budget_warning', channel: 'sms', used: 8, budget: 10 })
  logAlarm(log, { kind: 'budget_spent', channel: 'sms', budget: 10, until: NOW })
  logAlarm(log, { kind: 'pumping_suspected', codes: 40, verified: 3 })
  logAlarm(log, { kind: 'budget_warning', channel: 'call', used: 8, budget: 10 })
  logAlarm(log, { kind: 'budget_spent', channel: 'call', budget: 10, until: NOW })
  const events = lines.filter(({ event }) => event !== undefined)
  assert.deepEqual(
    events.map(({ event, used, budget, until, codes: of, verified }) =>
      [event, used, budget, until, of, verified].filter((field) => field !== undefined),
    ),
    [
      ['sms.budget_warning', 8, 10],
      ['sms.budget_spent', 10, new Date(NOW).toISOString()],
      ['sms.pumping_suspected', 40, 3],
      ['voice.budget_warning', 8, 10],
      ['voice.budget_spent', 10, new Date(NOW).toISOString()],
    ],
  )
  const sentences = lines.filter(({ level }) => level === 'warn').map(({ msg }) => String(msg))
  assert.equal(sentences.length, 5)
  assert.match(sentences[0] ?? '', /80 % of STEPGATE_SMS_BUDGET/)
  assert.match(sentences[1] ?? '', /STEPGATE_SMS_BUDGET is spent: no message goes out until/)
  assert.match(sentences[2] ?? '', /pumping/)
  assert.match(sentences[3] ?? '', /80 % of STEPGATE_VOICE_BUDGET/)
  assert.match(sentences[4] ?? '', /STEPGATE_VOICE_BUDGET is spent: nobody is called until/)
})
