import type { Context } from '../context.ts'
import type { Channel } from '../sms/sender.ts'

/** Whether nothing goes to this number (E.164) this way for now, because Twilio has failed again and again. */
export function isHeld(
  { circuit }: Pick<Context, 'circuit'>,
  channel: Channel,
  phone: string,
): boolean {
  return circuit.paused(channel, phone) !== undefined
}
