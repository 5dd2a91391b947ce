import type { SmsLimits } from '../../proxy/config/config.ts'
import { makeKnown } from '../../proxy/otp/known-numbers.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { type Chance, createChance } from './chance.ts'
import { type CodeSteps, createCodeSteps, type Pressed, type Visit } from './code-steps.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'
import { createPeople, digits, type Person, placeOf } from './people.ts'

/** One day of an installation. */
export type Scenario = {
  /** All, attackers included. */
  readonly people: number
  readonly limits: SmsLimits
  /** The share of honest people who have used a code within the last 30 days. */
  readonly known: number
  /** Where the attackers' numbers are: in prefixes of their own, or in those of the staff. */
  readonly pumped: 'own-prefixes' | 'staff-prefixes'
  /**
   * Where the attackers come from: any of many addresses, the staff's largest office, or one
   * address, at which one of them has typed in three codes before.
   */
  readonly from: 'anywhere' | 'an-office' | 'a-place-of-one'
  /** Whether the attackers can read what they are sent, and type it in. */
  readonly attackersRead: boolean
  readonly seed: number
}

/** What came of it; `refused` presses of "send" by a limit, `turnedAway` sign-ins that ended so. */
export type Result = {
  readonly toHonest: number
  readonly toAttackers: number
  readonly pressed: number
  readonly refused: number
  readonly refusedBy: ReadonlyMap<string, number>
  readonly signIns: number
  readonly turnedAway: number
  /** Ms since midnight of the first suspicion, undefined when there was none. */
  readonly suspectedAt: number | undefined
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
// Any midnight.
const MIDNIGHT = 1_800_000_000_000 - (1_800_000_000_000 % DAY)

const ATTACKERS = 0.01
const PREFIXES = 500
const NEED_RESEND = 0.08
const NEVER_VERIFY = 0.03
const MISTYPE = 0.02
/** How often an attacker presses "send", always in a new session, and after a refusal. */
const ATTACK_EVERY = MINUTE
const ATTACK_AGAIN = 10 * MINUTE
const PLACE_OF_ONE = 'proxy-of-one'

type Tally = { -readonly [Name in keyof Result]: Result[Name] } & { refusedBy: Map<string, number> }
type World = {
  readonly steps: CodeSteps
  readonly queue: EventQueue
  readonly chance: Chance
  readonly tally: Tally
}

/** Plays the day through the real limits and code steps, over the store in memory. */
export async function simulate(scenario: Scenario): Promise<Result> {
  const chance = createChance(scenario.seed)
  const store = createMemoryStore(20_000_000)
  const steps = createCodeSteps(store, scenario.limits)
  const tally: Tally = {
    toHonest: 0,
    toAttackers: 0,
    pressed: 0,
    refused: 0,
    refusedBy: new Map(),
    signIns: 0,
    turnedAway: 0,
    suspectedAt: undefined,
  }
  const world = { steps, queue: createEventQueue(), chance, tally }
  const attackers = Math.round(scenario.people * ATTACKERS)
  const people = createPeople(scenario.people - attackers, chance)
  for (const person of people) {
    if (chance.happens(scenario.known)) {
      await makeKnown(store, person.subject, person.phone, MIDNIGHT - DAY)
    }
    for (const [index, time] of person.signsInAt.entries()) {
      world.queue.add(MIDNIGHT + time, (now) => signIn(world, person, index, now))
    }
  }
  if (scenario.from === 'a-place-of-one') await useCodes(steps, 3)
  const prefixes = pumpedPrefixes(scenario, people, chance)
  for (let index = 0; index < attackers; index++) {
    const phone = `${prefixes[index % prefixes.length]}${digits(4, chance)}`
    startAttacker(world, scenario, `attacker-${index}`, phone)
  }
  await world.queue.runUntil(MIDNIGHT + DAY)
  const suspected = steps.raised.find(({ alarm }) => alarm.kind === 'pumping_suspected')
  tally.suspectedAt = suspected && suspected.at - MIDNIGHT
  return tally
}

/** As many prefixes for as many attackers as there would be among 100,000 people. */
function pumpedPrefixes({ people, pumped }: Scenario, staff: readonly Person[], chance: Chance) {
  const count = Math.max(1, Math.round((people * PREFIXES) / 100_000))
  return Array.from({ length: count }, (_, index) =>
    pumped === 'own-prefixes'
      ? `+491566${String(index).padStart(3, '0')}`
      : chance.pick(staff).phone.slice(0, -4),
  )
}

function signIn(world: World, person: Person, index: number, now: number): Promise<void> {
  const { chance, tally } = world
  tally.signIns += 1
  const { subject, phone } = person
  const address = placeOf(person, chance)
  const visit: Visit = { subject, phone, family: `${subject}-${index}`, address }
  return openPage(world, visit, 1, now)
}

/** Opens the code page; who is refused tries again later, so often, and then gives up. */
async function openPage(world: World, visit: Visit, tries: number, now: number): Promise<void> {
  const { chance, queue, steps } = world
  const pressed = noteHonest(world, await steps.open(visit, now))
  if (pressed.kind === 'refused') {
    if (tries === 0) world.tally.turnedAway += 1
    else queue.add(now + 3 * MINUTE, (later) => openPage(world, visit, tries - 1, later))
    return
  }
  const typesIn = !chance.happens(NEVER_VERIFY)
  const reading = (8 + 25 * chance.unit() ** 2) * SECOND
  if (!chance.happens(NEED_RESEND)) {
    if (typesIn) queue.add(now + reading, (later) => typeIn(world, visit, later))
    return
  }
  queue.add(now + (35 + 60 * chance.unit()) * SECOND, async (later) => {
    const again = noteHonest(world, await steps.sendAgain(visit, later))
    if (again.kind === 'refused') world.tally.turnedAway += 1
    else if (typesIn) queue.add(later + reading, (then) => typeIn(world, visit, then))
  })
}

async function typeIn({ chance, queue, steps }: World, visit: Visit, now: number): Promise<void> {
  if (!chance.happens(MISTYPE)) {
    await steps.typeIn(visit, true, now)
    return
  }
  await steps.typeIn(visit, false, now)
  queue.add(now + 10 * SECOND, async (later) => {
    await steps.typeIn(visit, true, later)
  })
}

function noteHonest({ tally }: World, pressed: Pressed): Pressed {
  tally.pressed += 1
  if (pressed.kind === 'sent') tally.toHonest += 1
  if (pressed.kind === 'refused') {
    tally.refused += 1
    tally.refusedBy.set(pressed.by, (tally.refusedBy.get(pressed.by) ?? 0) + 1)
  }
  return pressed
}

/** Somebody who can read her messages uses so many codes at the attackers' address the day before. */
async function useCodes(steps: CodeSteps, count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const visit: Visit = {
      subject: 'reader',
      phone: '+4915669999999',
      family: `reader-${nth}`,
      address: PLACE_OF_ONE,
    }
    const before = MIDNIGHT - DAY + nth * HOUR
    await steps.open(visit, before)
    if (!(await steps.typeIn(visit, true, before + MINUTE)))
      throw new Error('The code was not used')
  }
}

function attackFrom({ from }: Scenario, chance: Chance): string {
  switch (from) {
    case 'an-office':
      return 'office-0'
    case 'a-place-of-one':
      return PLACE_OF_ONE
    case 'anywhere':
      return `proxy-${chance.below(50_000)}`
  }
}

/** Presses "send" all day, each time in a new session, and from another address if there are many. */
function startAttacker(world: World, scenario: Scenario, subject: string, phone: string): void {
  const { chance, queue, steps, tally } = world
  let sessions = 0
  const press = async (now: number): Promise<void> => {
    sessions += 1
    const address = attackFrom(scenario, chance)
    const visit: Visit = { subject, phone, family: `${subject}-${sessions}`, address }
    const pressed = await steps.open(visit, now)
    if (pressed.kind === 'sent') {
      tally.toAttackers += 1
      if (scenario.attackersRead) {
        queue.add(now + 20 * SECOND, async (later) => {
          await steps.typeIn(visit, true, later)
        })
      }
    }
    queue.add(now + (pressed.kind === 'refused' ? ATTACK_AGAIN : ATTACK_EVERY), press)
  }
  queue.add(MIDNIGHT + chance.unit() * ATTACK_EVERY, press)
}
