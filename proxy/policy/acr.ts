/** What a session can prove: `basic` is the first factor alone, `twilio_sms` a one-time code on top. */
export type Acr = 'basic' | 'twilio_sms'

/** What a path can need; `public` needs no session at all. */
export type RequiredAcr = 'public' | Acr
