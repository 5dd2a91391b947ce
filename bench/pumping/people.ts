import type { Chance } from './chance.ts'

/** Somebody who signs in; times in ms since midnight, sorted. */
export type Person = {
  readonly subject: string
  readonly phone: string
  /** The address of her office, which she shares, and of her home. */
  readonly office: string
  readonly home: string
  readonly signsInAt: readonly number[]
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

// German mobile networks: what a number begins with, and how many digits follow.
const NETWORKS: readonly (readonly [string, number])[] = [
  ...['1511', '1512', '1514', '1515', '1516', '1517', '1520', '1521', '1522', '1523', '1525'],
  ...['1526', '1529', '1570', '1573', '1575', '1577', '1578', '1579', '1590'],
  ...['160', '162', '163', '170', '171', '172', '173', '174', '175', '176', '177', '178', '179'],
].map((digits) => [digits, 7])

/** People of a company phone have numbers of one block of ten thousand, as contracts have them. */
const COMPANY_PHONES = 0.5
const PEOPLE_A_BLOCK = 250
const PEOPLE_AN_OFFICE = 400
/** Of all; the largest office has twenty times the people of an ordinary one. */
const LARGEST_OFFICE = 0.05
const AT_HOME = 0.3

/** Honest people: 1 to 4 sign-ins, most before nine and after lunch. */
export function createPeople(count: number, chance: Chance): Person[] {
  const offices = Math.max(1, Math.round(count / PEOPLE_AN_OFFICE))
  const blocks = Array.from(
    { length: Math.max(1, Math.round((count * COMPANY_PHONES) / PEOPLE_A_BLOCK)) },
    () => `+49${randomNumber(chance).slice(0, -4)}`,
  )
  return Array.from({ length: count }, (_, index) => ({
    subject: `person-${index}`,
    phone: chance.happens(COMPANY_PHONES)
      ? `${chance.pick(blocks)}${digits(4, chance)}`
      : `+49${randomNumber(chance)}`,
    office: chance.happens(LARGEST_OFFICE) ? 'office-0' : `office-${chance.below(offices)}`,
    home: `home-${index}`,
    signsInAt: signInTimes(chance),
  }))
}

/** From where somebody signs in this time. */
export function placeOf(person: Person, chance: Chance): string {
  return chance.happens(AT_HOME) ? person.home : person.office
}

function signInTimes(chance: Chance): number[] {
  const times = [chance.around(8.6 * HOUR, 40 * MINUTE)]
  for (let more = chance.below(4); more > 0; more--) {
    const afterLunch = chance.happens(0.4)
    times.push(afterLunch ? chance.around(13 * HOUR, 30 * MINUTE) : (9 + 9 * chance.unit()) * HOUR)
  }
  return times.map((time) => Math.min(Math.max(time, 0), DAY - HOUR)).sort((a, b) => a - b)
}

function randomNumber(chance: Chance): string {
  const [network, length] = chance.pick(NETWORKS)
  return network + digits(length, chance)
}

/** So many random digits. */
export function digits(length: number, chance: Chance): string {
  return Array.from({ length }, () => chance.below(10)).join('')
}
