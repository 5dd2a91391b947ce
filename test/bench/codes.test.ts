import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFlows } from '../../bench/codes/code-flow.ts'
import { measureRound, quantile } from '../../bench/codes/measure.ts'
import { phoneOf } from '../../bench/codes/people.ts'
import { startStandIns, startStepgate } from '../../bench/codes/processes.ts'
import { isAllowedNumber, isLandline } from '../../proxy/sms/allowed-countries.ts'

test('people go the whole way to a verified code, and only what they cost is counted', async (t) => {
  const standIns = await startStandIns()
  t.after(standIns.stop)
  const stepgate = await startStepgate('memory:', standIns.origin)
  t.after(stepgate.stop)
  const flows = createFlows(stepgate.origin, standIns.origin)
  t.after(flows.close)

  const arrival = await flows.arrive(1)
  await flows.finish(arrival)
  assert.equal(await flows.acr(arrival), 'twilio_sms')
  await assert.rejects(flows.finish(arrival), /instead of/, 'a callback works once')

  const cpu = await stepgate.cpu()
  const round = await measureRound({ ...stepgate, flows }, { first: 2, people: 5, atOnce: 2 })
  assert.equal(round.flows, 5)
  assert.equal(round.verify.length, 5)
  assert.ok(round.cpu > 0 && round.cpu <= (await stepgate.cpu()) - cpu)
  assert.ok(round.verify.every((ms) => ms > 0 && ms <= round.wall))
})

test('people have numbers of their own, mobile ones that are far apart', () => {
  const numbers = Array.from({ length: 20_000 }, (_, person) => phoneOf(person))
  assert.equal(new Set(numbers).size, numbers.length)
  for (const number of numbers.slice(0, 100)) {
    assert.ok(isAllowedNumber(number, ['DE']) && !isLandline(number), number)
  }
  const prefixes = Map.groupBy(numbers.slice(0, 1000), (number) => number.slice(0, -4))
  for (const alike of prefixes.values()) assert.equal(alike.length, 1)
})

test('a quantile is one of the values, and there is none of nothing', () => {
  const values = [5, 1, 4, 2, 3]
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => quantile(values, share)),
    [1, 3, 5, 5],
  )
  assert.ok(Number.isNaN(quantile([], 0.5)))
})
