import type { Config, Secrets } from './config/config.ts'
import { MASK } from './config/describe-config.ts'
import { writeStore } from './config/write-store.ts'
import { errorCode } from './error-code.ts'
import { explainFailure } from './explain-failure.ts'
import { createLog } from './log.ts'
import { networkWords } from './network-words.ts'
import { loadPageSet } from './page-set.ts'
import type { PartCheck } from './part-check.ts'
import { createDirectory } from './phone/create-directory.ts'
import { createProvider } from './sign-in/provider-openid.ts'
import { createTwilioSender } from './sms/sender-twilio.ts'
import { openStore } from './store/open-store.ts'
import { createPool } from './upstream/pool-undici.ts'

const QUIET = createLog({ level: 'silent', access: false })

/**
 * `stepgate check`: tries every part that stepgate depends on for real, prints one line each with
 * what to do, and says whether all is well. Nothing is sent to anybody.
 */
export async function checkParts(
  config: Config,
  secrets: Secrets,
  print: (line: string) => void,
): Promise<boolean> {
  const parts: readonly [string, () => Promise<PartCheck>][] = [
    ['OpenID provider', () => checkProvider(config, secrets)],
    ['Numbers', () => checkDirectory(config, secrets)],
    ['Twilio', () => checkTwilio(config, secrets)],
    ['Application', () => checkUpstream(config)],
    ['Store', () => checkStore(config, secrets)],
    ['Pages', () => checkPages(config)],
  ]
  const results = await Promise.all(
    parts.map(async ([name, check]) => ({ name, ...(await safely(check)) })),
  )
  for (const { name, kind, detail } of results) {
    print(`${kind === 'ok' ? 'ok     ' : 'PROBLEM'}  ${name}: ${detail}`)
  }
  return results.every(({ kind }) => kind === 'ok')
}

async function safely(check: () => Promise<PartCheck>): Promise<PartCheck> {
  try {
    return await check()
  } catch (error) {
    return { kind: 'problem', detail: explainFailure(error) }
  }
}

/** What no program can see from here, the operator is told: what has to be registered there. */
async function checkProvider(config: Config, secrets: Secrets): Promise<PartCheck> {
  const { oidc, publicUrl } = config
  const redirectUri = new URL('/_stepgate/callback', publicUrl)
  const signedOut = new URL('/_stepgate/signed-out', publicUrl)
  const provider = createProvider(oidc, secrets.oidcClientSecret, QUIET)
  const { kind, detail } = await provider.check(redirectUri)
  if (kind === 'problem') return { kind, detail }
  const register = `register there ${redirectUri.href} for sign-in and ${signedOut.href} for sign-out`
  return { kind, detail: `${detail}; ${register}` }
}

async function checkTwilio({ twilio }: Config, secrets: Secrets): Promise<PartCheck> {
  const { kind, detail } = await createTwilioSender(twilio, secrets.twilioSecret).check()
  if (kind === 'problem') return { kind, detail }
  const reports = twilio.statusCallback
    ? `it will report deliveries to ${twilio.statusCallback.href}, which it has to reach`
    : secrets.twilioToken === undefined
      ? 'it is not asked to report deliveries, as that needs STEPGATE_TWILIO_TOKEN'
      : 'it is not asked to report deliveries, as STEPGATE_PUBLIC_URL is not an address that it can reach from the internet'
  return { kind, detail: `${detail}; ${reports}` }
}

async function checkDirectory(config: Config, secrets: Secrets): Promise<PartCheck> {
  if (config.phoneSource === 'claims') {
    const detail =
      "they come with the sign-in, as the provider's claims phone_number and phone_number_verified"
    const asked = config.oidc.scopes.includes('phone')
    return {
      kind: 'ok',
      detail: asked
        ? detail
        : `${detail}; STEPGATE_OIDC_SCOPES does not ask for phone, where most providers have them`,
    }
  }
  const directory = createDirectory(config, secrets, QUIET)
  try {
    return await directory.check()
  } finally {
    await directory.close()
  }
}

/** Any answer will do: what the application answers to nobody is its own affair. */
async function checkUpstream({ upstream }: Config): Promise<PartCheck> {
  const place = upstream.kind === 'unix' ? `unix:${upstream.path}` : upstream.origin.origin
  const times = { connectTimeout: 5_000, headersTimeout: 10_000, bodyTimeout: 10_000 }
  const pool = createPool(upstream, times)
  try {
    const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
    // Only its beginning is asked for; a page of any length or one that never ends is fine.
    body.on('error', () => {}).destroy()
    return { kind: 'ok', detail: `${place} answers (HTTP ${statusCode})` }
  } catch (error) {
    const words = networkWords(errorCode(error))
    const detail = `${place} was not reached: ${words}; is the application running, and STEPGATE_UPSTREAM right?`
    return { kind: 'problem', detail }
  } finally {
    await pool.destroy()
  }
}

async function checkStore({ store: settings }: Config, secrets: Secrets): Promise<PartCheck> {
  const store = await openStore(settings, secrets.store)
  await store.close()
  if (settings.kind === 'memory') return { kind: 'ok', detail: 'in memory' }
  if (settings.kind === 'sqlite') return { kind: 'ok', detail: `${settings.path} can be written` }
  const { adviseOnRedis } = await import('./store/redis-advice.ts')
  const advice = await adviseOnRedis(settings, secrets.store)
  const detail = `${writeStore(settings, secrets.store, MASK)} can be written`
  return { kind: 'ok', detail: advice === undefined ? detail : `${detail}; ${advice}` }
}

async function checkPages(config: Config): Promise<PartCheck> {
  await loadPageSet(config)
  const { pagesDir } = config
  return {
    kind: 'ok',
    detail: pagesDir === undefined ? 'built in' : `with the files of ${pagesDir}`,
  }
}
