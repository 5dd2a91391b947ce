import type { Plan, PlannedAnswer } from './twilio-plan.ts'

/** What can be chosen on the phone's page to become of a message. */
export type Fate = {
  readonly key: string
  readonly label: string
  /** Answers to one message, retries included; none: as usual. */
  readonly answers: readonly PlannedAnswer[]
}

const error = (code: number, label: string): Fate => ({
  key: `${code}`,
  label: `${label} (${code})`,
  answers: [{ kind: 'error', code }],
})

/** The choices by kind, each once. */
export const FATES: Readonly<Record<string, readonly Fate[]>> = {
  'It arrives': [
    { key: 'deliver', label: 'It arrives, as usual', answers: [] },
    { key: 'slow', label: 'It arrives after 5 seconds', answers: [{ kind: 'slow', seconds: 5 }] },
  ],
  'The number is refused': [
    error(21211, 'Not a phone number'),
    error(21614, 'Not a mobile number'),
    error(21408, 'Country not enabled'),
    error(21610, 'Opted out'),
    error(21612, 'Not reachable from here'),
  ],
  'It is taken, and does not arrive': [
    error(30003, 'Switched off or without reception'),
    error(30004, 'Blocked'),
    error(30005, 'Number not in service'),
    error(30006, 'Landline'),
    error(30007, 'Filtered by carriers'),
    error(30008, 'Nobody knows why'),
    error(30032, 'Toll-free number not verified'),
    error(30034, 'Sender not registered'),
    error(30450, 'Blocked as unwanted'),
  ],
  'A call': [
    { key: 'busy', label: 'The line is busy', answers: [{ kind: 'busy' }] },
    { key: 'no-answer', label: 'Nobody answers', answers: [{ kind: 'no-answer' }] },
  ],
  'stepgate’s account is refused': [
    error(20003, 'Wrong credentials'),
    error(21608, 'Trial account'),
    error(21606, 'Wrong sender'),
    error(21617, 'Message rejected'),
  ],
  'Twilio misbehaves': [
    {
      key: 'full',
      label: 'Too many requests, after the retry too (429)',
      answers: [
        { kind: 'error', code: 20429 },
        { kind: 'error', code: 20429 },
      ],
    },
    error(20500, 'Internal error'),
    { key: 'nonsense', label: 'Nonsense instead of JSON', answers: [{ kind: 'nonsense' }] },
    { key: 'reset', label: 'The connection breaks', answers: [{ kind: 'reset' }] },
    {
      key: 'reset-taken',
      label: 'The connection breaks, but the message arrives',
      answers: [{ kind: 'reset', delivers: true }],
    },
    { key: 'hang', label: 'It never answers', answers: [{ kind: 'hang' }] },
    {
      key: 'hang-taken',
      label: 'It never answers, but the message arrives',
      answers: [{ kind: 'hang', delivers: true }],
    },
  ],
}

const ALL = Object.values(FATES).flat()

/** The plan that the page's form asks for, or undefined when it is not one of its choices. */
export function planOf(form: URLSearchParams): Partial<Plan> | undefined {
  const fate = ALL.find(({ key }) => key === form.get('fate'))
  if (fate === undefined) return undefined
  switch (form.get('for')) {
    case 'next':
      return { next: fate.answers }
    case 'always':
      return { next: [], always: fate.answers[0] ?? null }
    default:
      return undefined
  }
}

/** What is planned, as a sentence for people. */
export function describePlan({ next, always }: Plan): string {
  const [first] = next
  const rest = always === null ? 'Messages arrive' : `Every message: ${labelOf(always)}`
  if (first === undefined) return rest
  const more = next.length > 1 ? `, then ${next.length - 1} more planned` : ''
  return `Next request: ${labelOf(first)}${more}. ${always === null ? '' : rest}`.trim()
}

function labelOf(answer: PlannedAnswer): string {
  const same = (other: PlannedAnswer | undefined) =>
    JSON.stringify(other) === JSON.stringify(answer)
  const found = ALL.find(({ answers }) => same(answers[0]))
  if (found !== undefined) return found.label
  return answer.kind === 'error' ? `error ${answer.code}` : answer.kind
}
