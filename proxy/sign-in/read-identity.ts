import type { Config } from '../config/config.ts'
import { toE164 } from '../phone/e164.ts'
import { matchesGroup } from '../policy/matches-group.ts'
import type { CheckedIdentity } from '../session/provider-tokens.ts'
import type { SessionIdentity } from '../session/transitions.ts'
import type { Claims } from './provider.ts'

export type IdentityRead =
  | { readonly kind: 'identity'; readonly identity: SessionIdentity }
  /** `claim` is missing or of the wrong type: configuration and provider do not fit. */
  | { readonly kind: 'missing'; readonly claim: string }

const MAX_TEXT = 256

/** Reads verified claims (OpenID Connect Core §5.1); what is optional and malformed is left out. */
export function readIdentity(
  claims: Claims,
  { oidc: settings, smsCountries }: Pick<Config, 'oidc' | 'smsCountries'>,
  now: number,
): IdentityRead {
  const subject = text(claims.sub)
  if (subject === undefined) return { kind: 'missing', claim: 'sub' }
  const email = isFlag(claims.email_verified, false) ? undefined : text(claims.email)
  const username = settings.usernameClaim === 'email' ? email : text(claims[settings.usernameClaim])
  if (username === undefined) return { kind: 'missing', claim: settings.usernameClaim }
  const name = text(claims.name)
  const locale = text(claims.locale)
  const sid = text(claims.sid)
  const phones = isFlag(claims.phone_number_verified, true) ? texts(claims.phone_number) : []
  const claimedPhones = phones
    .map((phone) => toE164(phone, smsCountries))
    .filter((phone) => phone !== undefined)
  const amr = methods(claims.amr)
  const acr = text(claims.acr)
  const trusted = [...amr, ...(acr === undefined ? [] : [acr])].some((value) =>
    settings.trustAcr.includes(value),
  )
  const authTimeGiven = Number.isFinite(claims.auth_time)
  const authTime = authTimeGiven ? Number(claims.auth_time) * 1000 : now
  return {
    kind: 'identity',
    identity: {
      subject,
      ...(sid !== undefined && { sid }),
      username,
      ...(email !== undefined && { email }),
      ...(name !== undefined && { name }),
      groups: texts(claims[settings.groupsClaim]).filter(
        (group) => settings.groups === undefined || matchesGroup(settings.groups, group),
      ),
      ...(claimedPhones.length > 0 && { claimedPhones }),
      ...(locale !== undefined && { locale }),
      acr: trusted ? 'twilio_sms' : 'basic',
      amr,
      authTime: Math.trunc(Math.max(0, Math.min(authTime, now))),
      ...(authTimeGiven && { authTimeGiven }),
    },
  }
}

/** Claims that do not say all, and for the rest those of who it was before. */
export function withUnsaid(
  claims: Claims,
  { username, email, name, groups, claimedPhones }: CheckedIdentity,
  { usernameClaim, groupsClaim }: Config['oidc'],
): Claims {
  // A number that was verified says nothing of another one.
  const saysPhone = ['phone_number', 'phone_number_verified'].some((name) => name in claims)
  return {
    email,
    name,
    ...(!saysPhone && { phone_number: claimedPhones, phone_number_verified: true }),
    [groupsClaim]: groups,
    [usernameClaim]: username,
    ...claims,
  }
}

/** Some providers send their flags as text. */
function isFlag(value: unknown, flag: boolean): boolean {
  return value === flag || value === String(flag)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT ? value : undefined
}

/** An `amr` as it has to be, a list of texts (OpenID Connect Core §2); any other proves nothing. */
function methods(value: unknown): readonly string[] {
  const list = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return list ? texts(value) : []
}

/** A list of texts without duplicates; a single text is a list of one. */
function texts(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : [value]
  return [...new Set(list.map(text).filter((item) => item !== undefined))]
}
