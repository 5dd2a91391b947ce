/**
 * `npm run bench:pumping`: a day of 100,000 people on a virtual clock, through the real limits and
 * code steps over the store in memory. One in a hundred is a stolen account, whose number lies in
 * one of 500 prefixes that earn their owner money with each message.
 * `node bench/pumping.ts [people] [seed]` plays it smaller, or again with other chances.
 */
import type { LimitWindow, SmsLimits } from '../proxy/config/config.ts'
import { formatLimit } from '../proxy/config/parse-limit.ts'
import { VARIABLES } from '../proxy/config/variables.ts'
import { type Result, type Scenario, simulate } from './pumping/simulate.ts'

const AIM = { attackers: 0.005, refused: 0.001 }
const HOUR = 3_600_000
const FREE: readonly LimitWindow[] = [{ limit: 1_000_000, windowMs: 24 * HOUR }]

const limits: SmsLimits = {
  person: VARIABLES.SMS_LIMIT_PERSON.schema.parse(undefined),
  number: VARIABLES.SMS_LIMIT_NUMBER.schema.parse(undefined),
  address: VARIABLES.SMS_LIMIT_ADDRESS.schema.parse(undefined),
  prefix: VARIABLES.SMS_LIMIT_PREFIX.schema.parse(undefined),
  unknown: VARIABLES.SMS_LIMIT_UNKNOWN.schema.parse(undefined),
  // Out of the way: what is measured is what holds before it.
  budget: 10_000_000,
  verifiedAlarm: VARIABLES.SMS_VERIFIED_ALARM.schema.parse(undefined),
}

const [people = 100_000, seed = 1] = process.argv.slice(2).map(Number)
const ordinary: Scenario = {
  people,
  seed,
  limits,
  known: 0.99,
  pumped: 'own-prefixes',
  from: 'anywhere',
  attackersRead: false,
}
const SCENARIOS: readonly (readonly [string, Scenario])[] = [
  ['a day in use', ordinary],
  ['the first day: nobody is known', { ...ordinary, known: 0 }],
  ['pumped in the staff’s own prefixes', { ...ordinary, pumped: 'staff-prefixes' }],
  ['pumped from the staff’s office', { ...ordinary, from: 'an-office' }],
  ['… where one used three codes before', { ...ordinary, from: 'a-place-of-one' }],
  ['attackers type their codes in', { ...ordinary, attackersRead: true }],
  [
    'without prefix and unknown limits',
    { ...ordinary, limits: { ...limits, prefix: FREE, unknown: FREE } },
  ],
]

const COLUMNS = [36, 10, 13, 9, 16, 9, 9, 10]
const HEAD = ['', 'messages', 'to attackers', '', 'honest refused', '', 'given up', 'suspected']

function row(name: string, result: Result): string[] {
  const { toHonest, toAttackers, pressed, refused, turnedAway, suspectedAt } = result
  const messages = toHonest + toAttackers
  return [
    name,
    `${messages}`,
    `${toAttackers}`,
    share(toAttackers / messages, AIM.attackers),
    `${refused} of ${pressed}`,
    share(refused / pressed, AIM.refused),
    `${turnedAway}`,
    suspectedAt === undefined ? 'never' : new Date(suspectedAt).toISOString().slice(11, 16),
  ]
}

function share(part: number, aim: number): string {
  return `${(100 * part).toFixed(3)}%${part < aim ? ' ' : '!'}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function sayCells(cells: readonly string[]): void {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(COLUMNS[0] ?? 0) : cell.padStart(COLUMNS[index] ?? 0),
  )
  say(padded.join(' '))
}

const { person, number, address, prefix, unknown } = limits
say(`${people} people, 1 % of them attackers on ${Math.round(people / 200)} prefixes; seed ${seed}`)
say('honest: 1 to 4 sign-ins, 8 % need a repetition, 3 % never type the code in')
say(
  `person ${formatLimit(person)}  number ${formatLimit(number)}  address ${formatLimit(address)}  prefix ${formatLimit(prefix)}  unknown ${formatLimit(unknown)}`,
)
say(
  `aims: attackers below ${100 * AIM.attackers} %, refused below ${100 * AIM.refused} %; ! misses\n`,
)
sayCells(HEAD)
for (const [name, scenario] of SCENARIOS) sayCells(row(name, await simulate(scenario)))
