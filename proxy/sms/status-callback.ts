import { failureOf } from './outcome.ts'

/** Asks Twilio for reports of what it sends, until it refuses the address for them. */
export type StatusCallback = {
  /**
   * Runs `create` with the parameter that asks for reports; once Twilio has refused it, without.
   * What the refusal was about is created within the same call: nothing was taken for sure.
   */
  offer<T>(create: (reports: { statusCallback?: string }) => Promise<T>): Promise<T>
}

// https://www.twilio.com/docs/api/errors/21609
const INVALID_CALLBACK = 21609

/**
 * For all senders of one process: that Twilio refuses the address holds for each, and `onRefused` is
 * told once.
 */
export function createStatusCallback(
  url: URL | undefined,
  onRefused: () => void = () => {},
): StatusCallback {
  let statusCallback = url?.href

  return {
    async offer(create) {
      if (statusCallback === undefined) return create({})
      try {
        return await create({ statusCallback })
      } catch (error) {
        if (failureOf(error).code !== INVALID_CALLBACK) throw error
        if (statusCallback !== undefined) onRefused()
        statusCallback = undefined
        return create({})
      }
    },
  }
}
