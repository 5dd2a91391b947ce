import type { LabelsOf } from './definitions.ts'
import type { Meter } from './meter.ts'

type Decision = LabelsOf<'stepgate_requests_total'>['decision']

/** Counts what was decided of a request; what comes back costs the hot path next to nothing. */
export function countRequests(meter: Meter | undefined): (decision: Decision) => void {
  if (meter === undefined) return () => {}
  const counterOf = (decision: Decision) => meter.counter('stepgate_requests_total', { decision })
  const counters: Readonly<Record<Decision, () => void>> = {
    forward: counterOf('forward'),
    'sign-in': counterOf('sign-in'),
    'step-up': counterOf('step-up'),
    deny: counterOf('deny'),
    own: counterOf('own'),
    refused: counterOf('refused'),
  }
  return (decision) => counters[decision]()
}
