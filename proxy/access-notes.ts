import type { Decision } from './policy/rule.ts'

/** What only the way of a request knows and its line in the access log says; filled in on the way. */
export type AccessNotes = {
  /** `own`: a path of stepgate's own; `refused`: it had no single reading. */
  decision: Decision['kind'] | 'own' | 'refused'
  subject: string | undefined
  /** The request that a proxy has asked about, where it has (forward-auth). */
  original: { readonly method: string; readonly url: string } | undefined
  /** The address that the request was sent to, the last if there were several; it holds no secret. */
  upstream: string | undefined
  /** Whether it has begun to leave for an application: from then on it may have arrived. */
  sent: boolean
  /** How long the application took to begin its response (ms); undefined while it has not. */
  upstreamMs: number | undefined
  /** Bytes of content that came from the client and were passed on. */
  bytesIn: number
  /** Bytes of content of the application's response that were passed on. */
  bytesOut: number
}

/** The notes of a request that has just come in. */
export function emptyNotes(decision: AccessNotes['decision']): AccessNotes {
  return {
    decision,
    subject: undefined,
    original: undefined,
    upstream: undefined,
    sent: false,
    upstreamMs: undefined,
    bytesIn: 0,
    bytesOut: 0,
  }
}
