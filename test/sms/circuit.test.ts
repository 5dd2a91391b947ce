import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Attempt,
  admit,
  type Circuit,
  CLOSED,
  type Evidence,
  evidenceOf,
  type Failure,
  OPENS_AFTER,
  PAUSES,
  settle,
  TRIAL_LEASE,
  TRIAL_TAKES,
} from '../../proxy/sms/circuit.ts'
import { outcomeOf } from '../../proxy/sms/outcome.ts'

let numbers = 0

/** One send from admission to its end, at one moment, by default to a number of its own. */
function send(
  circuit: Circuit,
  evidence: Evidence,
  now: number,
  number = `number ${++numbers}`,
): Circuit {
  const admission = admit(circuit, number, now)
  assert.ok(admission.kind === 'admitted')
  return settle(admission.circuit, admission.attempt, evidence, now)
}

function sends(count: number, evidence: Evidence, now = 0, circuit: Circuit = CLOSED): Circuit {
  return count === 0 ? circuit : sends(count - 1, evidence, now, send(circuit, evidence, now))
}

test('it opens with the fifth failure in a row within a minute, not with the fourth', () => {
  assert.equal(sends(OPENS_AFTER.failures - 1, 'unavailable').kind, 'closed')
  const open = sends(OPENS_AFTER.failures, 'unavailable')
  assert.ok(open.kind === 'open')
  assert.equal(open.reason, 'unavailable')
  assert.equal(open.until, PAUSES.first)
})

test('one number alone does not open it, however often it fails, and a second one does', () => {
  let circuit = CLOSED
  for (let n = 0; n < 30; n++) circuit = send(circuit, 'unavailable', n, 'a')
  assert.equal(circuit.kind, 'closed')
  assert.equal(send(circuit, 'unavailable', 30, 'b').kind, 'open')
  assert.equal(send(CLOSED, 'credentials', 0, 'a').kind, 'open')
})

test('a trial of a number that failed before is followed by as long a pause, of another by a longer', () => {
  const pauses: number[] = []
  let circuit = sends(OPENS_AFTER.failures - 1, 'unavailable')
  let now = 0
  for (const number of ['a', 'a', 'a', 'b', 'b', 'a', 'c']) {
    circuit = send(circuit, 'unavailable', now, number)
    assert.ok(circuit.kind === 'open')
    pauses.push((circuit.until - now) / 1000)
    now = circuit.until
  }
  assert.deepEqual(pauses, [15, 15, 15, 30, 30, 30, 60])
  circuit = send(circuit, 'credentials', now, 'c')
  assert.equal(circuit.kind === 'open' && (circuit.until - now) / 1000, 120)
})

test('what it remembers of a long outage stays small', () => {
  let circuit = sends(OPENS_AFTER.failures, 'unavailable')
  for (let now = PAUSES.most, n = 0; n < 50; n++, now += PAUSES.most) {
    circuit = send(circuit, 'unavailable', now)
  }
  assert.equal(circuit.kind === 'open' && circuit.failed.length, OPENS_AFTER.failures)
})

test('one message that Twilio takes, or a number that it refuses, begins the count anew', () => {
  const almost = sends(OPENS_AFTER.failures - 1, 'unavailable')
  const worked = send(almost, 'works', 1)
  assert.equal(sends(OPENS_AFTER.failures - 1, 'unavailable', 1, worked).kind, 'closed')
})

test('failures that are a minute old do not count', () => {
  const almost = sends(OPENS_AFTER.failures - 1, 'unavailable')
  assert.equal(send(almost, 'unavailable', OPENS_AFTER.window).kind, 'closed')
  assert.equal(send(almost, 'unavailable', OPENS_AFTER.window - 1).kind, 'open')
})

test('wrong credentials open it at once', () => {
  const open = send(CLOSED, 'credentials', 0)
  assert.ok(open.kind === 'open')
  assert.equal(open.reason, 'credentials')
})

test('its pauses double up to a bound, and one message that works closes it', () => {
  let circuit = sends(OPENS_AFTER.failures, 'unavailable')
  const pauses: number[] = []
  let now = 0
  for (let n = 0; n < 7; n++) {
    assert.ok(circuit.kind === 'open')
    pauses.push((circuit.until - now) / 1000)
    now = circuit.until
    circuit = send(circuit, 'unavailable', now)
  }
  assert.deepEqual(pauses, [15, 30, 60, 120, 240, 300, 300])
  assert.ok(circuit.kind === 'open')
  assert.deepEqual(send(circuit, 'works', circuit.until), CLOSED)
})

test('a trial that finds wrong credentials changes the reason', () => {
  const open = sends(OPENS_AFTER.failures, 'unavailable')
  const tried = send(open, 'credentials', PAUSES.first)
  assert.ok(tried.kind === 'open')
  assert.equal(tried.reason, 'credentials')
})

test('while a trial is under way nothing else passes, and one that never ends gives way', () => {
  const open = sends(OPENS_AFTER.failures, 'unavailable')
  const now = PAUSES.first
  const trial = admit(open, 'a', now)
  assert.ok(trial.kind === 'admitted')
  assert.equal(admit(trial.circuit, 'a', now).kind, 'refused')
  assert.equal(admit(trial.circuit, 'a', now + TRIAL_LEASE - 1).kind, 'refused')
  const next = admit(trial.circuit, 'a', now + TRIAL_LEASE)
  assert.ok(next.kind === 'admitted')
  const late = settle(next.circuit, trial.attempt, 'unavailable', now + TRIAL_LEASE)
  assert.equal(late, next.circuit)
})

test('while a trial is under way others are told to try again when it may have ended', () => {
  const now = PAUSES.first
  const trial = admit(sends(OPENS_AFTER.failures, 'unavailable'), 'a', now)
  assert.ok(trial.kind === 'admitted')
  const toldAt = (at: number) => {
    const told = admit(trial.circuit, 'a', at)
    return told.kind === 'refused' ? told.until - at : told
  }
  assert.equal(toldAt(now), TRIAL_TAKES)
  assert.equal(toldAt(now + 12_000), TRIAL_TAKES)
  assert.equal(toldAt(now + TRIAL_LEASE - 1_000), 1_000)
})

test('what ends late from before the opening says nothing', () => {
  const before = admit(CLOSED, 'a', 0)
  assert.ok(before.kind === 'admitted')
  const open = sends(OPENS_AFTER.failures, 'unavailable')
  for (const evidence of ['works', 'unavailable', 'credentials'] as const) {
    assert.equal(settle(open, before.attempt, evidence, 1), open)
  }
})

test('a clock that is set back does not keep it open', () => {
  const open = sends(OPENS_AFTER.failures, 'unavailable', 1_000_000)
  assert.equal(admit(open, 'a', 999_999).kind, 'admitted')
})

test('what Twilio says of one handset or number is no evidence against Twilio', () => {
  const evidence = (code: number, status = 400) => evidenceOf(outcomeOf({ code, status }))
  for (const code of [21610, 21614, 21612, 30003, 30008, 30007, 21608, 21606, 21617]) {
    assert.equal(evidence(code), 'works', String(code))
  }
  assert.equal(evidence(20429, 429), 'works')
  assert.equal(evidence(29999, 403), 'works')
  assert.equal(evidence(20003, 401), 'credentials')
  assert.equal(evidence(20500, 500), 'unavailable')
  assert.equal(evidenceOf(outcomeOf({})), 'unavailable')
  assert.equal(evidenceOf({ kind: 'sent', id: 'SM' }), 'works')
})

test('whatever happens: no send passes in a pause, one trial at a time, and it always heals', () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant('turn' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
    fc.record({ act: fc.constant('start' as const), number: fc.constantFrom('a', 'b', 'c') }),
    fc.record({
      act: fc.constant('end' as const),
      which: fc.nat(5),
      evidence: fc.constantFrom<Evidence>('works', 'unavailable', 'unavailable', 'credentials'),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let circuit: Circuit = CLOSED
      let now = 0
      let inARow: Failure[] = []
      const running: { attempt: Attempt; at: number; trial: boolean }[] = []
      for (const next of steps) {
        const before: Circuit = circuit
        if (next.act === 'turn') now += next.ms
        if (next.act === 'start') {
          const admission = admit(circuit, next.number, now)
          const paused = circuit.kind === 'open' && now < circuit.until
          assert.equal(admission.kind, paused ? 'refused' : 'admitted')
          if (admission.kind === 'refused') {
            assert.ok(admission.until > now && admission.until <= now + PAUSES.most)
            continue
          }
          circuit = admission.circuit
          const trial = circuit.kind === 'open'
          const others = running.filter((one) => one.trial && one.at + TRIAL_LEASE > now)
          if (trial) assert.deepEqual(others, [])
          running.push({ attempt: admission.attempt, at: now, trial })
        }
        if (next.act === 'end') {
          const [ended] = running.splice(next.which, 1)
          if (ended === undefined) continue
          circuit = settle(circuit, ended.attempt, next.evidence, now)
          if (before.kind === 'open') {
            const newestTrial = before.trial === ended.attempt
            if (!newestTrial) assert.equal(circuit, before)
            else assert.equal(circuit.kind, next.evidence === 'works' ? 'closed' : 'open')
            inARow = []
          } else {
            // The model: what came in a row within the window, and credentials at once.
            const { number } = ended.attempt
            inARow = next.evidence === 'works' ? [] : [...inARow, { number, at: now }]
            inARow = inARow.filter(({ at }) => now - at < OPENS_AFTER.window)
            const several = new Set(inARow.map((failure) => failure.number)).size > 1
            const opens =
              next.evidence === 'credentials' || (inARow.length >= OPENS_AFTER.failures && several)
            assert.equal(circuit.kind, opens ? 'open' : 'closed')
          }
        }
        if (circuit.kind === 'closed' && before.kind === 'open') inARow = []
      }
      // From any state: after the longest pause one send passes, and one that works closes it.
      assert.equal(send(circuit, 'works', now + PAUSES.most), CLOSED)
    }),
    { numRuns: 400 },
  )
})
