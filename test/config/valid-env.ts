import type { Files } from '../../proxy/config/files.ts'
import { type LoadedConfig, loadConfig } from '../../proxy/config/load-config.ts'

/** Every secret in the environments here; none may ever be printed. */
export const CANARIES = {
  session: 'q7Vn2xKf9LbT4wZc8RmY1sHd6GpJ3uEa',
  oidc: 'canary-oidc-5521',
  twilio: 'canary-twilio-8873',
  apiKey: 'canary-apikey-1190',
  ldap: 'canary-ldap-6604',
  headers: 'canary-headers-3317',
  store: 'canary/store@4471',
  sentinel: 'canary-sentinel+9920',
} as const

/** The least that stepgate starts with: numbers from claims. */
export const VALID_ENV: Readonly<Record<string, string>> = {
  STEPGATE_PUBLIC_URL: 'https://app.example.com',
  STEPGATE_UPSTREAM: 'http://127.0.0.1:3000',
  STEPGATE_SESSION_SECRET: CANARIES.session,
  STEPGATE_OIDC_ISSUER: 'https://login.example.com/realms/staff',
  STEPGATE_OIDC_CLIENT_ID: 'stepgate',
  STEPGATE_OIDC_CLIENT_SECRET: CANARIES.oidc,
  STEPGATE_TWILIO_SID: `AC${'0a'.repeat(16)}`,
  STEPGATE_TWILIO_TOKEN: CANARIES.twilio,
  STEPGATE_TWILIO_FROM_NUMBER: '+12025550123',
}

/** A store with every part that its URL can have. */
export const REDIS_URL = `rediss+sentinel://stepgate:${encodeURIComponent(CANARIES.store)}@s1,s2:26380/mymaster/2?prefix=shop&sentinel_username=watcher&sentinel_password=${CANARIES.sentinel}`

/** With the directory. */
export const LDAP_ENV: Readonly<Record<string, string>> = {
  ...VALID_ENV,
  STEPGATE_LDAP_URL: 'ldaps://ldap.example.com',
  STEPGATE_LDAP_BIND_DN: 'cn=stepgate,dc=example,dc=com',
  STEPGATE_LDAP_BIND_PASSWORD: CANARIES.ldap,
  STEPGATE_LDAP_BASE_DN: 'ou=people,dc=example,dc=com',
}

/** Files by path; reading another one fails as Node does. */
export function fakeFiles(contents: Readonly<Record<string, string>>): Files {
  return {
    read: (path) => contents[path] ?? notFound(path),
    list: (path) => {
      const inside = Object.keys(contents).filter((name) => name.startsWith(`${path}/`))
      return inside.length > 0 ? inside : notFound(path)
    },
  }
}

/** The valid environment with some variables changed (undefined takes one away), loaded. */
export function loadWith(
  changes: Readonly<Record<string, string | undefined>>,
  contents: Readonly<Record<string, string>> = {},
  base: Readonly<Record<string, string>> = VALID_ENV,
): LoadedConfig {
  return loadConfig({ ...base, ...changes }, fakeFiles(contents))
}

/** Each problem as the sentence that it is: variable, then what is wrong. */
export function sentences(loaded: LoadedConfig): string[] {
  if (loaded.kind === 'ok') return []
  return loaded.problems.map(({ variable, problem }) => `${variable} ${problem}`)
}

/** What was read; fails the test with the problems when there are any. */
export function loadedOk(loaded: LoadedConfig): Extract<LoadedConfig, { kind: 'ok' }> {
  if (loaded.kind === 'invalid') throw new Error(sentences(loaded).join('\n'))
  return loaded
}

function notFound(path: string): never {
  throw Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: 'ENOENT' })
}
