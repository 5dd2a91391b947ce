/** Whether this names a text message at Twilio. */
export function isMessageSid(sid: unknown): sid is string {
  return typeof sid === 'string' && /^(SM|MM)[0-9a-f]{32}$/i.test(sid)
}

/** Whether this names a call at Twilio. */
export function isCallSid(sid: unknown): sid is string {
  return typeof sid === 'string' && /^CA[0-9a-f]{32}$/i.test(sid)
}
