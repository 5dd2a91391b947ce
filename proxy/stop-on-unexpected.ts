import { describeError, type Log } from './log.ts'

/**
 * Ends the process, with a log line, at an error that nobody caught: its state is not known any more.
 * Node itself would print the whole error, and with it what an SDK has hung on: tokens and numbers.
 */
export function stopOnUnexpected(log: Log, what: 'stepgate' | 'worker' = 'stepgate'): void {
  process.once('uncaughtException', (error: unknown) => {
    log.error(`${what} stops: an unexpected error`, {
      ...describeError(error),
      at: framesOf(error),
    })
    process.exit(1)
  })
}

/** Where it happened: the stack without the message, which stands in the lines before the frames. */
function framesOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined
  const frames = stack
    ?.split('\n')
    .filter((line) => /^ {4}at .+(:\d+:\d+\)?|<anonymous>\)?)$/.test(line))
  return frames?.map((line) => line.trim()).join('; ')
}
