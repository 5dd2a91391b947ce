import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  DAY,
  MINUTE,
  OTP,
  openCodePage,
  pressSend,
  SECOND,
  signIn,
  startStill,
  typeCode,
  wrongCode,
} from '../support/code-page.ts'
import { createClient } from '../support/cookie-jar.ts'
import { type Exposition, scrape } from '../support/exposition.ts'
import { strayLabels } from '../support/own-metrics.ts'
import { ALICE, BOB, type World } from '../support/world.ts'

describe('metrics', () => {
  let world: World
  let address: string
  before(async () => {
    const env = {
      STEPGATE_METRICS_LISTEN: '127.0.0.1:0',
      STEPGATE_TWILIO_VOICE_FROM: '+4915228817000',
      STEPGATE_RULES: 'public /public; basic /basic; deny /secret',
      STEPGATE_SMS_LIMIT_PERSON: '3/15m',
      STEPGATE_SMS_BUDGET: '6',
      STEPGATE_OTP_ATTEMPTS: '10',
    }
    world = await startStill({ env })
    const served = world.logs().find(({ msg }) => msg === 'Metrics are served')
    address = String(served?.address)
  })
  after(async () => {
    await world.close()
    await assert.rejects(scrape(address))
  })

  /** What a step adds to stepgate's metrics, but for requests and the times of the store. */
  async function addedBy(step: () => Promise<unknown>): Promise<Record<string, number>> {
    const earlier = await scrape(address)
    await step()
    const later = await scrape(address)
    const added = [...seriesOf(later)].flatMap(([series, value]) => {
      const more = value - (seriesOf(earlier).get(series) ?? 0)
      return more === 0 ? [] : [[series, more] as const]
    })
    return Object.fromEntries(added)
  }

  const challengeSent = {
    stepgate_challenges_total: 1,
    'stepgate_sends_total sms DE sent': 1,
    'stepgate_budget_used sms': 1,
  }

  test('tell the way of a person, from the sign-in to the code and out', async () => {
    const browser = createClient()
    assert.deepEqual(await addedBy(() => signIn(world, 'alice', browser)), {
      'stepgate_sign_ins_total succeeded': 1,
      stepgate_step_ups_required_total: 1,
    })
    assert.deepEqual(await addedBy(() => browser.get(new URL(OTP, world.url))), challengeSent)
    world.turnClock(30 * SECOND)
    assert.deepEqual(await addedBy(() => pressSend(world, browser)), {
      'stepgate_sends_total sms DE sent': 1,
      'stepgate_budget_used sms': 1,
    })
    const code = world.codeFor(ALICE)
    assert.deepEqual(await addedBy(() => typeCode(world, browser, wrongCode(code))), {
      'stepgate_verifications_total wrong': 1,
    })
    world.turnClock(12 * SECOND)
    assert.deepEqual(await addedBy(() => typeCode(world, browser, code)), {
      'stepgate_verifications_total right': 1,
      'stepgate_send_to_verification_seconds_count sms': 1,
      'stepgate_send_to_verification_seconds_sum sms': 12,
    })
    const leave = new URL('/_stepgate/sign-out', world.url)
    assert.deepEqual(await addedBy(() => browser.get(leave)), {
      'stepgate_sessions_ended_total sign_out': 1,
    })
    const callback = new URL('/_stepgate/callback', world.url)
    assert.deepEqual(await addedBy(() => createClient().get(callback)), {
      'stepgate_sign_ins_total no-state': 1,
    })
  })

  test('tell what refuses a message, and how much of the budget is left', async () => {
    const { browser } = await openCodePage(world, 'alice')
    world.twilio.script({ kind: 'error', status: 400, code: 21610, message: `${ALICE} is out` })
    world.turnClock(30 * SECOND)
    // Twilio refused it, so it counts against the person, but not against the budget.
    assert.deepEqual(await addedBy(() => pressSend(world, browser)), {
      'stepgate_sends_total sms DE opted_out': 1,
    })
    await pressSend(world, browser)
    world.turnClock(MINUTE)
    assert.deepEqual(await addedBy(() => pressSend(world, browser)), {
      'stepgate_limits_hit_total sms person': 1,
    })
    const openLater = () => {
      world.turnClock(15 * MINUTE)
      return addedBy(() => openCodePage(world, 'alice'))
    }
    assert.equal((await openLater())['stepgate_alarms_total budget_warning sms'], 1)
    assert.equal((await openLater())['stepgate_sends_total sms DE sent'], 1)
    const spent = await openLater()
    assert.equal(spent['stepgate_alarms_total budget_spent sms'], 1)
    assert.equal(spent['stepgate_limits_hit_total sms budget'], 1)
    const { value } = await scrape(address)
    assert.equal(value('stepgate_budget_used', { channel: 'sms' }), 6)
    assert.equal(value('stepgate_budget', { channel: 'sms' }), 6)
  })

  test('tell calls from messages, and waits from wrong codes', async () => {
    world.turnClock(15 * MINUTE)
    const { browser } = await openCodePage(world, 'alice')
    const call = () => browser.post(new URL(`${OTP}/call`, world.url), { return_to: '/whoami' })
    assert.deepEqual(await addedBy(call), {
      stepgate_challenges_total: 1,
      'stepgate_sends_total call DE sent': 1,
      'stepgate_budget_used call': 1,
    })
    const code = world.codeFor(ALICE)
    for (let n = 1; n < 10; n++) await typeCode(world, browser, wrongCode(code))
    assert.deepEqual(await addedBy(() => typeCode(world, browser, wrongCode(code))), {
      'stepgate_verifications_total wrong': 1,
      'stepgate_locks_total wait': 1,
    })
    assert.deepEqual(await addedBy(() => typeCode(world, browser, code)), {
      'stepgate_verifications_total wait': 1,
    })
    world.turnClock(5 * MINUTE)
    assert.deepEqual(await addedBy(() => typeCode(world, browser, code)), {
      'stepgate_verifications_total expired': 1,
    })
  })

  test('tell when Twilio is left alone, and what it reports', async () => {
    world.turnClock(DAY)
    const { browser } = await signIn(world, 'alice')
    world.twilio.script({ kind: 'error', status: 401, code: 20003, message: `${ALICE}: no` })
    assert.deepEqual(await addedBy(() => browser.get(new URL(OTP, world.url))), {
      stepgate_challenges_total: 1,
      'stepgate_sends_total sms DE credentials': 1,
      'stepgate_circuit_open sms': 1,
    })
    assert.deepEqual(await addedBy(() => pressSend(world, browser)), {
      'stepgate_sends_total sms DE paused': 1,
    })
    world.turnClock(15 * SECOND)
    assert.deepEqual(await addedBy(() => pressSend(world, browser)), {
      'stepgate_sends_total sms DE sent': 1,
      'stepgate_circuit_open sms': -1,
      'stepgate_budget_used sms': 1,
    })
    const report = () => world.twilio.report({ status: 'undelivered', errorCode: 30006 })
    assert.deepEqual(await addedBy(report), { 'stepgate_deliveries_total sms landline': 1 })
  })

  test('tell what was decided of requests, and how long the store took', async () => {
    const { browser } = await signIn(world, 'bob')
    const decisions = async () => {
      const { samples } = await scrape(address)
      const told = samples.filter(({ name }) => name === 'stepgate_requests_total')
      return new Map(told.map(({ labels, value }) => [labels.decision ?? '', value]))
    }
    const asked = [
      ['/public', 'forward'],
      ['/basic', 'forward'],
      ['/whoami', 'step-up'],
      ['/secret', 'deny'],
      ['/_stepgate/none', 'own'],
      ['//refused', 'refused'],
    ] as const
    for (const [path, decision] of asked) {
      const before = await decisions()
      await browser.get(new URL(`${world.url.origin}${path}`))
      before.set(decision, (before.get(decision) ?? 0) + 1)
      assert.deepEqual(await decisions(), before, path)
    }
    const before = await decisions()
    await createClient().get(new URL('/whoami', world.url))
    assert.equal((await decisions()).get('sign-in'), (before.get('sign-in') ?? 0) + 1)

    const { value } = await scrape(address)
    for (const operation of ['get', 'put', 'swap', 'strike', 'count', 'revoke']) {
      const labels = { operation, store: 'memory' }
      assert.ok(value('stepgate_store_seconds_count', labels) > 0, operation)
    }
    assert.equal(value('stepgate_store_failures_total'), 0)
    assert.equal(value('stepgate_processes'), 1)
  })

  test('name no person, number, code, path or host, and no word that is not defined', async () => {
    const { text, samples, contentType } = await scrape(address)
    assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
    assert.deepEqual(strayLabels(samples), [])
    const foreign = samples.filter(({ name }) => !name.startsWith('stepgate_'))
    const labels = new Set(foreign.flatMap((sample) => Object.keys(sample.labels)))
    assert.deepEqual([...labels].toSorted(), [
      'kind',
      'le',
      'major',
      'minor',
      'patch',
      'space',
      'type',
      'version',
    ])

    const seen = new Set(['alice', 'bob', 'example', 'whoami', '_stepgate', 'callback'])
    for (const line of world.logs()) {
      for (const field of ['subject', 'request_id', 'client', 'message', 'path', 'address']) {
        if (typeof line[field] === 'string' && line[field] !== '/') seen.add(line[field])
      }
    }
    for (const number of [ALICE, ...BOB]) seen.add(number.slice(1)).add(number.slice(3))
    for (const { body } of world.messages()) {
      const code = /#(\d+)$/.exec(body)?.[1]
      if (code !== undefined) seen.add(code)
    }
    assert.ok(seen.size > 40)
    // Long numbers stand there too: seconds, bytes.
    const words = text.replace(/^(?!#)(.*) \S+$/gm, '$1')
    for (const secret of seen) assert.ok(!words.includes(secret), secret)
  })
})

function seriesOf({ samples }: Exposition): Map<string, number> {
  const told = samples.filter(
    ({ name }) =>
      name.startsWith('stepgate_') &&
      !/^stepgate_(store|requests)_|_bucket$|recent_codes/.test(name),
  )
  return new Map(
    told.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
  )
}
