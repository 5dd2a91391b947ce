import { type Assertions, createAssertions, withAssertion } from './assertion/assertions.ts'
import { createTokenReader, type TokenReader } from './bearer/token-reader.ts'
import { createVerifier } from './bearer/verify-token.ts'
import type { Config, Secrets } from './config/config.ts'
import { holdsClientAddress } from './config/parse-headers.ts'
import { compileForgedHeader } from './forward-auth/forged-header.ts'
import { createLog, type Log } from './log.ts'
import { countEvents } from './metrics/count-events.ts'
import { countRequests } from './metrics/count-requests.ts'
import { measureSender } from './metrics/measure-sender.ts'
import { measureStore } from './metrics/measure-store.ts'
import type { Meter } from './metrics/meter.ts'
import { openMeter } from './metrics/open-meter.ts'
import { watchBudgets } from './metrics/watch-budgets.ts'
import { logAlarm } from './otp/log-alarm.ts'
import { createOpenStreams, type OpenStreams } from './otp/open-streams.ts'
import { createSmsAlarms, type SmsAlarms } from './otp/sms-alarms.ts'
import { loadPageSet, type PageSet } from './page-set.ts'
import { createDirectory } from './phone/create-directory.ts'
import type { PhoneDirectory } from './phone/phone-directory.ts'
import { type Random, systemRandom } from './random.ts'
import { parseNetworks, type TrustedNetworks } from './request/client-address.ts'
import { createRoom, type Room } from './resume/room.ts'
import { type CookieNames, cookieNames } from './session/cookies.ts'
import { openSessions, type Sessions } from './session/open-sessions.ts'
import { type Revocations, watchRevocations } from './session/revocations.ts'
import { createSealer, type Sealer } from './session/sealed.ts'
import type { Session } from './session/session.ts'
import type { Provider } from './sign-in/provider.ts'
import { createProvider } from './sign-in/provider-openid.ts'
import type { SignInParts } from './sign-in/start-sign-in.ts'
import { restrictSender } from './sms/allowed-countries.ts'
import { createTwilioSenders, withCircuit } from './sms/create-sender.ts'
import type { Sender } from './sms/sender.ts'
import type { CircuitSender } from './sms/sender-circuit.ts'
import { createSignatureCheck, type SignatureCheck } from './sms/twilio-signature.ts'
import { openStore } from './store/open-store.ts'
import type { Store } from './store/store.ts'
import type { Forwarder } from './upstream/forward.ts'
import { createForwarder } from './upstream/forward-undici.ts'
import { compileIdentityHeaders } from './upstream/identity-headers.ts'
import { logHealth } from './upstream/log-health.ts'
import { compileHeaderSettings, type HeaderSettings } from './upstream/rebuild-headers.ts'
import { createUnderWay, type UnderWay } from './upstream/under-way.ts'

// In ms. A silent body is the application's affair: long polling and event streams are silent.
const UPSTREAM_TIMES = { connectTimeout: 5_000, bodyTimeout: 0 }

// In bytes: of forms that a process holds at one time, and of a seal beside what is in it.
const ROOM = 64 * 1024 * 1024
const SEAL = 64 * 1024

// In ms. In Kubernetes all pods start at once; one that waits need not start again and again.
const STORE_PATIENCE = 25_000

/** Everything that a request may need, built once. */
export type Context = Sessions & {
  readonly config: Config
  /** Epoch ms */
  readonly clock: () => number
  readonly random: Random
  readonly log: Log
  /** Absent when metrics are off. */
  readonly meter: Meter | undefined
  readonly countRequest: ReturnType<typeof countRequests>
  readonly store: Store
  readonly sealer: Sealer
  readonly revocations: Revocations
  readonly cookies: CookieNames
  readonly provider: Provider
  readonly signIn: SignInParts
  /** Absent when the application is sent none. */
  readonly assertions: Assertions | undefined
  /** Absent when no rule takes access tokens. */
  readonly tokens: TokenReader | undefined
  /** Refuses by itself numbers that must not be texted. */
  readonly sender: Sender
  /** Whether Twilio has failed so often that messages, or calls, are held back. */
  readonly circuit: Pick<CircuitSender, 'isOpen' | 'paused'>
  readonly alarms: SmsAlarms
  /** Absent when Twilio is not asked to report. */
  readonly isSignedByTwilio?: SignatureCheck
  readonly streams: OpenStreams
  readonly directory: PhoneDirectory
  readonly pages: PageSet
  /** For content of forms that wait for their person. */
  readonly resume: {
    readonly sealer: Sealer
    readonly room: Room
    /** For what streams to the application meanwhile: it takes no place of what waits. */
    readonly copies: Room
  }
  readonly trusted: TrustedNetworks
  /** The open WebSockets, and requests of sessions that the application has. */
  readonly underWay: UnderWay
  readonly upstream: {
    readonly forwarder: Forwarder
    readonly headerSettings: HeaderSettings
    readonly identityOf: (session: Session | undefined, now: number) => readonly string[]
  }
  /** The header of a proxy's question that a client may not send; see `compileForgedHeader`. */
  readonly findForged: ReturnType<typeof compileForgedHeader>
  /** Ends timers and connections. */
  close(): Promise<void>
}

/** What a test may replace. */
export type Overrides = Partial<
  Pick<Context, 'clock' | 'random' | 'log' | 'store' | 'provider' | 'directory' | 'pages'> & {
    /** The circuit is put before it. */
    readonly sender: Sender
  }
>

/**
 * Builds every adapter once and begins provider discovery. Throws `StoreUnavailableError` and
 * `PagesDirError`: without a store or pages there is nothing to start.
 */
export async function createContext(
  config: Config,
  secrets: Secrets,
  overrides: Overrides = {},
): Promise<Context> {
  const clock = overrides.clock ?? Date.now
  const random = overrides.random ?? systemRandom
  const meter = await openMeter(config)
  const log = countEvents(overrides.log ?? createLog(config.log), meter)
  const pages = overrides.pages ?? (await loadPageSet(config))
  const store = measureStore(
    overrides.store ??
      (await openStore(config.store, secrets.store, { patience: STORE_PATIENCE, log })),
    config.store.kind,
    meter,
  )
  const sealer = createSealer(secrets.sessionSecrets)
  const revocations = await watchRevocations(store, clock, log)
  const cookies = cookieNames(config.publicUrl)
  const provider =
    overrides.provider ??
    createProvider(config.oidc, secrets.oidcCredential, log, {
      wantsRefresh: config.session.recheck !== Number.POSITIVE_INFINITY,
    })
  const circuit = withCircuit(
    overrides.sender ?? createTwilioSenders(config.twilio, secrets.twilioSecret, log),
    config.twilio,
    { clock, log },
  )
  const sender = measureSender(
    restrictSender(circuit, { sms: config.smsCountries, call: config.voiceCountries }),
    meter,
  )
  const directory = overrides.directory ?? createDirectory(config, secrets, log)
  const alarms = createSmsAlarms(store, {
    budgets: { sms: config.smsLimits.budget, call: config.voiceLimits.budget },
    verifiedAlarm: config.smsLimits.verifiedAlarm,
    ttl: config.otp.ttl,
  })
  alarms.subscribe((alarm) => logAlarm(log, alarm))
  if (meter !== undefined) watchBudgets(meter, alarms, config, clock)
  const { statusCallback } = config.twilio
  const ownCookieNames = Object.values(cookies)
  const identityHeaders = config.headers.filter((header) => !holdsClientAddress(header))
  const headerNames = {
    identityNames: identityHeaders.map(({ name }) => name),
    addressNames: config.headers.filter(holdsClientAddress).map(({ name }) => name),
    rulesNameMethods: config.rules.some(({ methods }) => methods !== undefined),
  }
  const forwarder = createForwarder(config.upstreams, {
    ...UPSTREAM_TIMES,
    headersTimeout: config.upstreamTimeout,
    tls: config.upstreamTls,
    ownCookieNames,
    maxBody: config.limits.body,
    forgetsPages: config.sessionPages === 'forget',
    onHealth: (event) => logHealth(log, event),
  })
  const parts = { clock, log, store, sealer, revocations, provider }
  const sessions = openSessions(config, secrets, parts)
  const streams = createOpenStreams()
  revocations.subscribe(() => streams.end(revocations.isOver))
  const { recheck, activity } = sessions
  const underWay = createUnderWay({ clock, config, revocations, recheck, activity, log })
  meter?.beforeReading(async () => meter.set('stepgate_websockets', {}, underWay.webSockets()))
  provider.start()
  const assertions = config.assertion
    ? createAssertions(config.publicUrl, secrets.sessionSecrets)
    : undefined
  const room = Math.max(ROOM, 8 * config.resumeMaxBody)
  const tokens =
    config.bearer &&
    createTokenReader({
      verify: createVerifier(provider, config.bearer),
      config,
      isRevoked: revocations.isRevoked,
      log,
    })
  return {
    config,
    clock,
    random,
    log,
    meter,
    countRequest: countRequests(meter),
    store,
    sealer,
    revocations,
    cookies,
    provider,
    sender,
    circuit,
    alarms,
    ...(statusCallback &&
      secrets.twilioToken !== undefined && {
        isSignedByTwilio: createSignatureCheck(secrets.twilioToken, statusCallback),
      }),
    streams,
    directory,
    pages,
    assertions,
    tokens,
    resume: {
      sealer: createSealer(secrets.sessionSecrets, { maxLength: 2 * config.resumeMaxBody + SEAL }),
      room: createRoom(room),
      copies: createRoom(room),
    },
    ...sessions,
    signIn: {
      provider,
      sealer,
      random,
      redirectUri: new URL('/_stepgate/callback', config.publicUrl),
    },
    trusted: parseNetworks(config.trustedProxies),
    underWay,
    upstream: {
      forwarder,
      headerSettings: compileHeaderSettings({ ...headerNames, ownCookieNames }),
      identityOf: withAssertion(
        compileIdentityHeaders(identityHeaders, {
          encoding: config.headersEncoding,
          ...(secrets.headersSecret !== undefined && { secret: secrets.headersSecret }),
        }),
        assertions,
      ),
    },
    findForged: compileForgedHeader({ ...headerNames, proxyHeaders: config.proxyHeaders }),
    async close() {
      provider.close()
      await Promise.all([
        sessions.recheck.close(),
        revocations.close(),
        forwarder.close(),
        directory.close(),
      ])
      await store.close()
    },
  }
}
