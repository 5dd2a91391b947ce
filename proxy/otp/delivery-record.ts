import {
  type DeliveryReport,
  isFinal,
  mergeReport,
  type UndeliveredReason,
} from '../sms/delivery-report.ts'
import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'
import { type Challenge, type Message, REMEMBERED } from './challenge.ts'
import type { OtpParts } from './challenge-record.ts'

/** Whose code a message or call carries. */
export type MessageOwner = Pick<Challenge, 'subject' | 'family' | 'id' | 'expiresAt'>

// How long (ms) a report is kept that comes before Twilio's answer with the message's sid, and how
// it is marked until somebody knows whose it is.
const EARLY = 60_000
const UNCLAIMED = 'unclaimed '

const ownerKey = (sid: string) => keyOf('message-owner', sid)
const reportKey = (sid: string) => keyOf('message-report', sid)

/**
 * Remembers whose code the message carries, as long as the code itself is remembered. Twilio may
 * have reported before it answered: a report that makes it final comes back, for the one audit.
 */
export async function rememberOwner(
  { store, sealer }: OtpParts,
  { subject, family, id, expiresAt }: Challenge,
  sid: string,
  now: number,
): Promise<DeliveryReport | undefined> {
  const until = expiresAt + REMEMBERED
  const owner: MessageOwner = { subject, family, id, expiresAt }
  await store.put(ownerKey(sid), await sealer.seal('message-owner', owner, until, now), until)
  return claimReport(store, sid, owner, now)
}

/**
 * Keeps what was reported before the owner was known, as long as all else. Of several calls one
 * gets the report that makes it final.
 */
export async function claimReport(
  store: Store,
  sid: string,
  { expiresAt }: MessageOwner,
  now: number,
): Promise<DeliveryReport | undefined> {
  let text = await store.get(reportKey(sid), now)
  for (;;) {
    const report = parseReport(text)
    if (report === undefined || !text?.startsWith(UNCLAIMED)) return undefined
    const until = expiresAt + REMEMBERED
    const swapped = await store.swap(reportKey(sid), text, formatReport(report), until, now)
    if (swapped.kind === 'stored') return isFinal(report) ? report : undefined
    text = swapped.value
  }
}

/** Undefined for a message that is none of ours, is not known yet or has long been forgotten. */
export async function readOwner(
  { store, sealer }: OtpParts,
  sid: string,
  now: number,
): Promise<MessageOwner | undefined> {
  const sealed = await store.get(ownerKey(sid), now)
  if (sealed === undefined) return undefined
  return (await sealer.unseal('message-owner', sealed, now)) as MessageOwner | undefined
}

/**
 * Adds what was reported of a message to what is known. True for the one report that makes it
 * final, however often and in which order reports come; without an owner that is claimed later.
 */
export async function addReport(
  store: Store,
  sid: string,
  news: DeliveryReport,
  owner: MessageOwner | undefined,
  now: number,
): Promise<boolean> {
  const until = owner === undefined ? now + EARLY : owner.expiresAt + REMEMBERED
  const mark = owner === undefined ? UNCLAIMED : ''
  let text = await store.get(reportKey(sid), now)
  for (;;) {
    const known = parseReport(text)
    const merged = mergeReport(known, news)
    if (merged === known) return false
    const swapped = await store.swap(reportKey(sid), text, mark + formatReport(merged), until, now)
    if (swapped.kind === 'stored') return isFinal(merged)
    text = swapped.value
  }
}

/** What is known of a message; undefined when nothing was reported, or there is none. */
export async function reportOf(
  store: Store,
  message: Message | undefined,
  now: number,
): Promise<DeliveryReport | undefined> {
  if (message === undefined) return undefined
  return parseReport(await store.get(reportKey(message.id), now))
}

function formatReport(report: DeliveryReport): string {
  if (report.state !== 'failed') return report.state
  return ['failed', report.reason, report.errorCode].filter(Boolean).join(' ')
}

function parseReport(text: string | undefined): DeliveryReport | undefined {
  const claimed = text?.startsWith(UNCLAIMED) ? text.slice(UNCLAIMED.length) : text
  const [state, reason, code] = claimed?.split(' ') ?? []
  switch (state) {
    case 'queued':
    case 'sending':
    case 'sent':
    case 'delivered':
      return { state }
    case 'failed':
      return {
        state,
        reason: reason as UndeliveredReason,
        ...(code !== undefined && { errorCode: Number(code) }),
      }
    default:
      return undefined
  }
}
