import type { HeaderTemplate } from '../config/config.ts'
import type { Session } from '../session/session.ts'
import { encodeClaim, encodeLiteral, escapeControls, type TextEncoding } from './header-text.ts'

type Encode = (text: string) => string

/** A claim is encoded before it is joined with others, so that a joining comma stays one. */
type Part = (session: Session, encode: Encode) => string

type Compiled = {
  readonly name: string
  readonly prefix: string
  readonly parts: readonly Part[]
  readonly encodeClaim: Encode
  readonly finish: Encode
}

const BASIC = 'Basic '
const NOTHING: readonly string[] = []

/**
 * Compiles what the application is told. The result gives name, value, … for a session (values are
 * latin1 strings of the bytes), remembered for each session object, and nothing without one.
 *
 * A header whose template has only placeholders, all of them empty, is left out. Groups and amr are
 * joined by `,`; a comma in one of them is sent as `%2C`. Control characters, and spaces at the ends
 * of a claim, are always percent-encoded. After `Basic `, a `:` in a claim is too, since the first
 * `:` ends the user name (RFC 7617 §2).
 */
export function compileIdentityHeaders(
  templates: readonly HeaderTemplate[],
  options: { readonly encoding: TextEncoding; readonly secret?: string },
): (session: Session | undefined) => readonly string[] {
  const compiled = templates.map((template) => compileTemplate(template, options))
  const remembered = new WeakMap<Session, readonly string[]>()
  return (session) => {
    if (session === undefined) return NOTHING
    const known = remembered.get(session)
    if (known !== undefined) return known
    const headers = compiled.flatMap((template) => render(template, session))
    remembered.set(session, headers)
    return headers
  }
}

function compileTemplate(
  { name, value }: HeaderTemplate,
  { encoding, secret = '' }: { readonly encoding: TextEncoding; readonly secret?: string },
): Compiled {
  if (value.startsWith(BASIC)) {
    const parts = compileParts(value.slice(BASIC.length), secret, (text) => text)
    return { name, prefix: BASIC, parts, encodeClaim: encodeCredential, finish: toBase64 }
  }
  return {
    name,
    prefix: '',
    parts: compileParts(value, secret, (text) => encodeLiteral(text, encoding)),
    encodeClaim: (text) => encodeClaim(text, encoding),
    finish: (text) => text,
  }
}

function compileParts(value: string, secret: string, encodeLiteral: Encode): readonly Part[] {
  return value
    .split(/(\{\w+\})/)
    .filter((text) => text !== '')
    .map((text) => {
      const claim = Object.hasOwn(CLAIMS, text) ? CLAIMS[text] : undefined
      if (claim !== undefined) return claim
      const literal = encodeLiteral(text === '{secret}' ? secret : text)
      return () => literal
    })
}

const CLAIMS: Readonly<Record<string, Part>> = {
  '{username}': (session, encode) => encode(session.username),
  '{email}': (session, encode) => encode(session.email ?? ''),
  '{name}': (session, encode) => encode(session.name ?? ''),
  '{groups}': (session, encode) => list(session.groups, encode),
  '{subject}': (session, encode) => encode(session.subject),
  '{acr}': (session, encode) => encode(session.acr),
  '{amr}': (session, encode) => list(session.amr, encode),
  '{auth_time}': (session) => String(Math.floor(session.authTime / 1000)),
  // 0: not known, so nothing is said.
  '{otp_time}': ({ otpTime }) => (otpTime ? String(Math.floor(otpTime / 1000)) : ''),
}

function list(items: readonly string[], encode: Encode): string {
  return items
    .filter((item) => item !== '')
    .map((item) => encode(item).replaceAll(',', '%2C'))
    .join(',')
}

function encodeCredential(text: string): string {
  return escapeControls(text).replaceAll(':', '%3A')
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function render(template: Compiled, session: Session): string[] {
  const values = template.parts.map((part) => part(session, template.encodeClaim))
  if (values.every((value) => value === '')) return []
  return [template.name, template.prefix + template.finish(values.join(''))]
}
