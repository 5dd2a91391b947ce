import * as z from 'zod'

/**
 * How to answer one request otherwise than Twilio would. `deliver` is as usual; `hang` never
 * answers, `reset` cuts the connection after the request was read, `nonsense` is a page instead of
 * JSON. With `delivers` the message arrives all the same. An `error` from 30000 on is one that
 * Twilio finds after it has taken the message or call, and reports then, unless a status is given.
 * `busy` and `no-answer` are how a call ends; a message arrives.
 */
export type PlannedAnswer = z.infer<typeof PLANNED>

/** What becomes of the next requests, one each in this order, and of all after them. */
export type Plan = {
  readonly next: readonly PlannedAnswer[]
  /** `null`: as usual. */
  readonly always: PlannedAnswer | null
}

export type ReadPlan =
  | { readonly kind: 'ok'; readonly plan: Partial<Plan> }
  | { readonly kind: 'wrong'; readonly problem: string }

const delivers = z.boolean().exactOptional()
const PLANNED = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('deliver') }),
    z.strictObject({
      kind: z.literal('error'),
      code: z.int().min(10_000).max(99_999),
      status: z.int().min(400).max(599).exactOptional(),
      message: z.string().max(200).exactOptional(),
    }),
    z.strictObject({ kind: z.literal('busy') }),
    z.strictObject({ kind: z.literal('no-answer') }),
    z.strictObject({ kind: z.literal('hang'), delivers }),
    z.strictObject({ kind: z.literal('reset'), delivers }),
    z.strictObject({ kind: z.literal('nonsense'), delivers }),
    z.strictObject({ kind: z.literal('slow'), seconds: z.number().min(0).max(60) }),
  ],
  { error: 'kind must be deliver, error, busy, no-answer, hang, reset, nonsense or slow' },
)

const PLAN = z.strictObject({
  next: z.array(PLANNED).max(100).exactOptional(),
  always: PLANNED.nullable().exactOptional(),
})

const EXAMPLE = '{"next":[{"kind":"error","code":21610}]} or {"always":{"kind":"hang"}}'

/** Reads a plan from JSON; what is not said stays as it is. */
export function readPlan(text: string): ReadPlan {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { kind: 'wrong', problem: `this is no JSON; for example ${EXAMPLE}` }
  }
  const read = PLAN.safeParse(json)
  if (!read.success) {
    const problem = read.error.issues
      .map(({ path, message }) => [z.core.toDotPath(path), message].filter(Boolean).join(': '))
      .join('; ')
    return { kind: 'wrong', problem: `${problem}; for example ${EXAMPLE}` }
  }
  if (Object.keys(read.data).length === 0) {
    return { kind: 'wrong', problem: `it needs next or always; for example ${EXAMPLE}` }
  }
  return { kind: 'ok', plan: read.data }
}
