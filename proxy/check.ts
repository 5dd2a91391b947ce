import type { Config, Secrets } from './config/config.ts'
import { createLog, describeError } from './log.ts'
import { createDirectory } from './phone/create-directory.ts'
import { createProvider } from './sign-in/provider-openid.ts'
import { createTwilioSender } from './sms/sender-twilio.ts'
import { openStore } from './store/open-store.ts'
import { createPool } from './upstream/pool-undici.ts'

type Result = { readonly kind: 'ok' | 'problem'; readonly detail: string }

/**
 * `stepgate check`: tries every part that stepgate depends on for real, prints one line each with
 * what to do, and says whether all is well. Nothing is sent to anybody.
 */
export async function checkParts(
  config: Config,
  secrets: Secrets,
  print: (line: string) => void,
): Promise<boolean> {
  const quiet = createLog({ level: 'silent', access: false })
  const parts: readonly [string, string, () => Promise<Result>][] = [
    [
      'OpenID provider',
      'see STEPGATE_OIDC_ISSUER',
      () => createProvider(config.oidc, secrets.oidcClientSecret, quiet).check(),
    ],
    ['Numbers', 'see STEPGATE_LDAP_*', () => checkDirectory(config, secrets)],
    [
      'Twilio',
      'see STEPGATE_TWILIO_*',
      () => createTwilioSender(config.twilio, secrets.twilioSecret).check(),
    ],
    ['Store', 'see STEPGATE_STORE', () => checkStore(config)],
    ['Application', 'see STEPGATE_UPSTREAM', () => checkUpstream(config)],
  ]
  const results = await Promise.all(
    parts.map(async ([name, hint, check]) => ({ name, hint, result: await safely(check) })),
  )
  for (const { name, hint, result } of results) {
    print(
      result.kind === 'ok'
        ? `ok       ${name}: ${result.detail}`
        : `PROBLEM  ${name}: ${result.detail} (${hint})`,
    )
  }
  return results.every(({ result }) => result.kind === 'ok')
}

async function safely(check: () => Promise<Result>): Promise<Result> {
  try {
    return await check()
  } catch (error) {
    const { error: name, code, cause } = describeError(error)
    return { kind: 'problem', detail: [name, code, cause].filter(Boolean).join(' ') }
  }
}

async function checkDirectory(config: Config, secrets: Secrets): Promise<Result> {
  const quiet = createLog({ level: 'silent', access: false })
  const directory = createDirectory(config, secrets, quiet)
  try {
    return await directory.check()
  } finally {
    await directory.close()
  }
}

async function checkStore({ store: config }: Config): Promise<Result> {
  const store = await openStore(config)
  try {
    await store.ping()
    return {
      kind: 'ok',
      detail: config.kind === 'memory' ? 'in memory' : `${config.path} can be written`,
    }
  } finally {
    await store.close()
  }
}

/** Any answer will do: what the application answers to nobody is its own affair. */
async function checkUpstream({ upstream }: Config): Promise<Result> {
  const times = { connectTimeout: 5_000, headersTimeout: 10_000, bodyTimeout: 10_000 }
  const pool = createPool(upstream, times)
  try {
    const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
    await body.dump()
    return { kind: 'ok', detail: `answers (status ${statusCode})` }
  } finally {
    await pool.destroy()
  }
}
