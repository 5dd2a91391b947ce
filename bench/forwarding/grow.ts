import { requestOf } from './request.ts'
import { measureByTurns, ratioOf, type Subject } from './rounds.ts'
import { sealSession } from './seal-session.ts'
import type { Setting } from './setting.ts'
import { signIn, startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'

type Size = { readonly rounds: number; readonly ms: number }

const RULES = 500
const SESSIONS = 50_000

/** One rule, and the last of 500 of every kind. */
export async function growRules(setting: Setting, size: Size): Promise<Line[]> {
  const last = 'twilio_sms /small groups=staff'
  const many = [...Array.from({ length: RULES - 1 }, (_, index) => ruleOf(index)), last]
  return compare(
    setting,
    size,
    ['1 rule', `${RULES} rules, the last applies`],
    1.1,
    async (name) => {
      const rules = name === '1 rule' ? [last] : many
      const stepgate = await startMeasured(setting, { STEPGATE_RULES: rules.join('\n') })
      const request = requestOf(stepgate.origin, await signIn(stepgate, setting))
      return { ...stepgate, name, file: await setting.write([request]) }
    },
  )
}

function ruleOf(index: number): string {
  switch (index % 5) {
    case 0:
      return `basic /area-${index}/**`
    case 1:
      return `public /page-${index}`
    case 2:
      return `twilio_sms POST,PUT /api-${index}/**`
    case 3:
      return `basic app-${index}.example.com/**`
    default:
      return `deny /teams/*/report-${index}`
  }
}

/** One session, and 50,000 by turns. They are sealed here: so many people can't be signed in. */
export async function growSessions(setting: Setting, size: Size): Promise<Line[]> {
  const names = ['1 session', `${SESSIONS} sessions by turns`] as const
  return compare(setting, size, names, 1.25, async (name) => {
    const stepgate = await startMeasured(setting)
    const count = name === names[0] ? 1 : SESSIONS
    const requests: string[] = []
    for (let index = 0; index < count; index++) {
      requests.push(requestOf(stepgate.origin, await sealSession(index)))
    }
    return { ...stepgate, name, file: await setting.write(requests), warmUp: SESSIONS }
  })
}

/** Two stepgates by turns: the second should cost no more than `most` times the first. */
async function compare(
  setting: Setting,
  size: Size,
  names: readonly [string, string],
  most: number,
  start: (name: string) => Promise<Subject & { stop(): Promise<void> }>,
): Promise<Line[]> {
  const one = await start(names[0])
  const other = await start(names[1])
  try {
    const measured = await measureByTurns(setting, [one, other], size)
    const [few, many] = names.map((name) => measured.get(name) ?? [])
    const value = ratioOf(many ?? [], few ?? [], 'cpu')
    return [
      { name: names[0], rounds: few ?? [] },
      { name: names[1], rounds: many ?? [], aims: [{ what: 'CPU', value, unit: '×', most }] },
    ]
  } finally {
    await Promise.all([one.stop(), other.stop()])
  }
}
