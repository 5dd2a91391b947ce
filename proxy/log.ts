import { type LoggerOptions, pino } from 'pino'
import type { Config } from './config/config.ts'
import { errorCode } from './error-code.ts'
import type { CountedFields } from './metrics/counted-fields.ts'

/** What happened, as dashboards and auditors know it. */
export type AuditEvent =
  | 'sign_in.succeeded'
  | 'sign_in.failed'
  | 'step_up.required'
  | 'otp.sent'
  | 'otp.send_failed'
  | 'otp.delivered'
  | 'otp.undelivered'
  | 'otp.verified'
  | 'otp.wrong'
  | 'otp.expired'
  | 'otp.locked'
  | 'otp.unlocked'
  | 'sms.budget_warning'
  | 'sms.budget_spent'
  | 'sms.pumping_suspected'
  | 'sms.circuit_opened'
  | 'sms.circuit_closed'
  | 'voice.budget_warning'
  | 'voice.budget_spent'
  | 'voice.circuit_opened'
  | 'voice.circuit_closed'
  | 'session.ended'
  | 'request.denied'
  | 'request.cut'
  | 'websocket.closed'

/** Fields of a log line. Never a code, a whole number, a token or a raw error of an SDK. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** The fields of an event; those that metrics count by are of a few words. */
export type AuditFields<Event extends AuditEvent> = LogFields &
  (Event extends keyof CountedFields ? CountedFields[Event] : unknown)

/** JSON lines. `audit` writes at level info whatever happened to a person; the rest is for operators. */
export type Log = {
  audit<Event extends AuditEvent>(event: Event, fields: AuditFields<Event>): void
  access(fields: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Resolves when every line so far is written: a process that exits before may write them out of order. */
  flush(): Promise<void>
}

// Nothing waits for a line to be written. What gathers meanwhile goes out in whole lines of together
// no more than a pipe takes in one piece (POSIX, PIPE_BUF): workers share one.
const WRITING = { sync: false, minLength: 1, maxWrite: 4096 } as const

/** A log to standard output, or to `write` (one JSON line a call); `base` stands in every line. */
export function createLog(
  settings: Config['log'],
  write?: { write(line: string): void },
  base?: LogFields,
): Log {
  const options: LoggerOptions = {
    level: settings.level,
    base: base ?? null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  }
  const out = pino(options, write ?? pino.destination({ dest: 1, ...WRITING }))
  return {
    audit: (event, fields) => out.info({ event, ...fields }),
    access: settings.access ? (fields) => out.info(fields) : () => {},
    debug: (message, fields) => out.debug(fields ?? {}, message),
    info: (message, fields) => out.info(fields ?? {}, message),
    warn: (message, fields) => out.warn(fields ?? {}, message),
    error: (message, fields) => out.error(fields ?? {}, message),
    // What can go wrong here is fsync, which pipes do not have.
    flush: () => new Promise((resolve) => out.flush(() => resolve())),
  }
}

/** The part of an unknown error that is safe to log: its name and code, never its message or stack. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = errorCode(error)
  const cause = error.cause instanceof Error ? describeError(error.cause) : undefined
  return {
    error: error.name,
    ...(code !== undefined && { code }),
    ...(cause !== undefined && { cause: [cause.error, cause.code].filter(Boolean).join(' ') }),
  }
}
