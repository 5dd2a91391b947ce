/** What a session can prove: `basic` is the first factor alone, `twilio_sms` a one-time code on top. */
export type Acr = 'basic' | 'twilio_sms'

/** What a path can need; `public` needs no session at all. */
export type RequiredAcr = 'public' | Acr

const LEVELS: Readonly<Record<RequiredAcr, number>> = { public: 0, basic: 10, twilio_sms: 50 }

/** Authentication level of an acr, as published in `auth_level_mapping`; higher satisfies lower. */
export function levelOf(acr: RequiredAcr): number {
  return LEVELS[acr]
}
