import type { Context } from '../context.ts'
import { readReport } from '../sms/delivery-report.ts'
import { auditReport } from './audit-report.ts'
import { readChallenge } from './challenge-record.ts'
import { addReport, claimReport, type MessageOwner, readOwner } from './delivery-record.ts'

type ReportParts = Pick<Context, 'store' | 'sealer' | 'clock' | 'log'>

/**
 * Takes what Twilio reports of a message or call. It has authority over nothing but the delivery that the
 * page shows; what comes after its code was used is ignored. Throws `StoreUnavailableError`.
 */
export async function takeReport(
  parts: ReportParts,
  fields: URLSearchParams,
  requestId: string,
): Promise<void> {
  const read = readReport(fields)
  if (read === undefined) return
  const { sid, report } = read
  const { store, log } = parts
  const now = parts.clock()
  const owner = await readOwner(parts, sid, now)
  if (owner !== undefined) {
    if (!(await isPresent(parts, owner, now))) return
    const ended = await addReport(store, sid, report, owner, now)
    if (ended) auditReport(log, owner, sid, report, requestId)
    return
  }
  await addReport(store, sid, report, undefined, now)
  // Twilio may have answered meanwhile, and whoever heard it have looked before there was a report.
  const late = await readOwner(parts, sid, now)
  const ended = late && (await claimReport(store, sid, late, now))
  if (late && ended) auditReport(log, late, sid, ended, requestId)
}

async function isPresent(parts: ReportParts, owner: MessageOwner, now: number): Promise<boolean> {
  return (await readChallenge(parts, owner, now))?.challenge.id === owner.id
}
