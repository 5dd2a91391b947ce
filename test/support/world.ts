import { type DemoApplication, startApplication } from '../../demo/application.ts'
import { demoPeople } from '../../demo/people.ts'
import { startPhone } from '../../demo/phone.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import {
  createTwilioStandIn,
  type PhoneMessage,
  type TwilioStandIn,
} from '../../demo/twilio-api.ts'
import { formatProblems } from '../../proxy/config/format-problems.ts'
import { loadConfig } from '../../proxy/config/load-config.ts'
import type { Overrides } from '../../proxy/context.ts'
import { createLog } from '../../proxy/log.ts'
import { systemRandom } from '../../proxy/random.ts'
import type { Provider } from '../../proxy/sign-in/provider.ts'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { type Stepgate, startStepgate } from '../../proxy/start.ts'
import { declareSecret, keepLog } from './canaries.ts'
import { freePort } from './free-port.ts'
import { testClient } from './relying-party.ts'
import type { Slapd } from './slapd.ts'

/** A parsed log line of stepgate. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string }

/** stepgate with everything around it, on loopback, in this process. */
export type World = {
  /** stepgate's public URL. */
  readonly url: URL
  readonly provider: DemoProvider
  readonly application: DemoApplication
  readonly twilio: TwilioStandIn
  /** The phone's page and the stand-in's API. */
  readonly phoneUrl: URL
  /** All log lines so far, or those of one event. */
  logs(event?: string): readonly LogLine[]
  /** Messages to one number, newest first; without a number all of them. */
  messages(to?: string): readonly PhoneMessage[]
  /** The code in the newest message or call to this number; throws when there is none. */
  codeFor(to: string): string
  /** Moves stepgate's clock (not the provider's) forward. */
  turnClock(ms: number): void
  now(): number
  /** Starts another process's worth of stepgate beside it, on a port of its own; answers its address. */
  replica(changes?: Readonly<Record<string, string>>): Promise<URL>
  /** Stops stepgate and starts it again on the same port, with the same configuration. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** What a world differs in. */
export type WorldOptions = {
  /** Added to the configuration; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly overrides?: Overrides
  /** Another provider than the demo's, already running; it has to know `testClient`. */
  readonly issuer?: URL
  /** The provider tells of the end of its sessions, by `sid` or by the person alone. */
  readonly backChannel?: 'sid' | 'subject'
  /** Whether a start waits until the provider is known; so it is by default. */
  readonly waitForProvider?: boolean
  /** Numbers come from this directory, not from the provider's claims. */
  readonly slapd?: Slapd
}

/** The account that the stand-in for Twilio knows. */
export const ACCOUNT = {
  accountSid: `AC${'0a'.repeat(16)}`,
  authToken: 'canary-twilio-token-51b0c8e2',
}
const SESSION_SECRET = 'canary-session-secret-7f3a9d20-c1e4-4b68-95aa'

/** The numbers of the demo's people. */
export const ALICE = '+4915228817386'
export const BOB: readonly [string, string] = ['+4915228895456', '+491713920042']

/** Starts a world; numbers come from the provider's claims unless there is a directory. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const lines: LogLine[] = []
  let offset = 0
  const clock = () => Date.now() + offset

  const provider = await startProvider({ port: 0, clients: [], people: demoPeople })
  const application = await startApplication({ port: 0 })
  const twilio = createTwilioStandIn({ ...ACCOUNT, clock })
  const phone = await startPhone({ port: 0, standIn: twilio, owners: {}, clock })
  for (const { username, phoneNumbers } of demoPeople) {
    for (const number of phoneNumbers) declareSecret('number', number.slice(1))
    if (phoneNumbers.length > 1) provider.setClaims(username, { phone_number: [...phoneNumbers] })
  }

  const port = await freePort()
  const url = new URL(`http://127.0.0.1:${port}`)
  provider.putClient({
    ...testClient,
    redirect_uris: [new URL('/_stepgate/callback', url).href],
    post_logout_redirect_uris: [new URL('/_stepgate/signed-out', url).href],
    ...(options.backChannel && {
      backchannel_logout_uri: new URL('/_stepgate/backchannel-logout', url).href,
      backchannel_logout_session_required: options.backChannel === 'sid',
    }),
  })
  const env = {
    STEPGATE_PUBLIC_URL: url.origin,
    STEPGATE_LISTEN: `127.0.0.1:${port}`,
    STEPGATE_UPSTREAM: application.url.origin,
    STEPGATE_SESSION_SECRET: SESSION_SECRET,
    STEPGATE_OIDC_ISSUER: (options.issuer ?? provider.issuer).origin,
    STEPGATE_OIDC_CLIENT_ID: testClient.client_id,
    STEPGATE_OIDC_CLIENT_SECRET: testClient.client_secret,
    STEPGATE_OIDC_SCOPES: 'openid profile email phone',
    STEPGATE_TWILIO_SID: ACCOUNT.accountSid,
    STEPGATE_TWILIO_TOKEN: ACCOUNT.authToken,
    STEPGATE_TWILIO_FROM_NUMBER: '+4915228817000',
    STEPGATE_TWILIO_API_URL: phone.url.origin,
    STEPGATE_RULES: 'public /public /payroll.css; basic /basic /challenge',
    STEPGATE_STORE: 'memory:',
    STEPGATE_LOG_LEVEL: 'debug',
    STEPGATE_METRICS_LISTEN: 'off',
    ...(options.slapd && directoryEnv(options.slapd)),
    ...options.env,
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && /SECRET|TOKEN|PASSWORD/.test(name)) declareSecret(name, value)
  }
  const loaded = load(env)
  const { config } = loaded

  const log = createLog(config.log, {
    write(line) {
      keepLog(line)
      lines.push(JSON.parse(line))
    },
  })
  const start = ({ config, secrets } = loaded) =>
    startStepgate(config, secrets, {
      clock,
      log,
      random: { ...systemRandom, digits },
      provider: watched(createProvider(config.oidc, secrets.oidcCredential, log)),
      ...options.overrides,
    })
  const ready = async () => {
    if (options.waitForProvider !== false) await providerKnown(url)
  }
  let stepgate: Stepgate = await start()
  const replicas: Stepgate[] = []
  await ready()

  const messages = (to?: string) =>
    twilio.messages().filter((sms) => to === undefined || sms.to === to)
  return {
    url,
    provider,
    application,
    twilio,
    phoneUrl: phone.url,
    logs: (event) => lines.filter((line) => event === undefined || line.event === event),
    messages,
    codeFor(to) {
      const newest = messages(to)[0]
      const code =
        newest?.channel === 'call'
          ? newest.body.match(/\d(?:, \d)+/)?.[0].replaceAll(', ', '')
          : newest?.body.match(/#(\d+)$/)?.[1]
      if (code === undefined) throw new Error('No message with a code has come to this number')
      return code
    },
    turnClock(ms) {
      offset += ms
    },
    now: clock,
    async replica(changes = {}) {
      const ownPort = await freePort()
      const listen = `127.0.0.1:${ownPort}`
      replicas.push(await start(load({ ...env, STEPGATE_LISTEN: listen, ...changes })))
      const own = new URL(`http://${listen}`)
      await providerKnown(own)
      return own
    },
    async restart() {
      await stepgate.close()
      stepgate = await start()
      await ready()
    },
    async close() {
      await Promise.all([stepgate, ...replicas].map((each) => each.close()))
      await Promise.all([provider.close(), application.close(), phone.close()])
    },
  }
}

function load(env: Readonly<Record<string, string | undefined>>) {
  const loaded = loadConfig(env)
  if (loaded.kind === 'invalid') throw new Error(formatProblems(loaded.problems))
  return loaded
}

function directoryEnv({ url, bindDn, bindPassword, baseDn }: Slapd) {
  return {
    STEPGATE_LDAP_URL: url.href,
    STEPGATE_LDAP_BIND_DN: bindDn,
    STEPGATE_LDAP_BIND_PASSWORD: bindPassword,
    STEPGATE_LDAP_BASE_DN: baseDn,
  }
}

function digits(length: number): string {
  const code = systemRandom.digits(length)
  declareSecret('code', code)
  return code
}

function watched(provider: Provider): Provider {
  return {
    ...provider,
    async redeem(callback, expected) {
      const redeemed = await provider.redeem(callback, expected)
      if (redeemed.kind === 'signed-in') declareSecret('ID token', redeemed.idToken)
      if ('refreshToken' in redeemed) declareSecret('refresh token', redeemed.refreshToken)
      return redeemed
    },
    async refresh(refreshToken, subject) {
      const refreshed = await provider.refresh(refreshToken, subject)
      if ('refreshToken' in refreshed) declareSecret('refresh token', refreshed.refreshToken)
      return refreshed
    },
  }
}

/** Discovery goes on behind the start; a world that has been asked for is ready. */
export async function providerKnown(url: URL): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(new URL('/_stepgate/readyz', url))
    const { checks } = (await response.json()) as { checks: { provider: string } }
    if (checks.provider === 'ok') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('The provider has not become known')
}
