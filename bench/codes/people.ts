// The golden section of the range and prime to it: neighbours are far apart, so that each prefix of
// numbers has few of those who come at once.
const STEP = 6_180_339
const RANGE = 10_000_000

/** The number of one of ten million people, a German mobile phone's in E.164. */
export function phoneOf(person: number): string {
  return `+49151${String((person * STEP) % RANGE).padStart(7, '0')}0`
}
