import { type Answer, jsonAnswer } from './answer.ts'
import type { Context } from './context.ts'
import { describeError } from './log.ts'
import { type OwnApp, type OwnRequest, onGet } from './own-route.ts'
import { expiresAt } from './session/transitions.ts'
import type { Channel } from './sms/sender.ts'

/** Whether the process lives, whether it can do its job, and who is signed in. */
export function addHealthRoutes(app: OwnApp, context: Context): void {
  onGet(app, context, '/_stepgate/healthz', () => jsonAnswer(200, { status: 'ok' }))
  let running: Promise<Answer> | undefined
  onGet(app, context, '/_stepgate/readyz', () => {
    // Anybody may ask, and each check writes to the store and searches the directory: one at a time.
    running ??= answerReady(context).finally(() => {
      running = undefined
    })
    return running
  })
  onGet(app, context, '/_stepgate/session', answerSession)
}

/**
 * 200 when people can sign in, get a code and reach every application; what fails is named, why is in
 * the log only. That messages or calls are held back is said too, but no other instance could do better.
 */
async function answerReady({
  provider,
  store,
  directory,
  upstream,
  circuit,
  config,
  log,
}: Context): Promise<Answer> {
  const [storeState, directoryState, upstreamState] = await Promise.all([
    store.ping().then(
      () => 'ok',
      (error: unknown) => {
        log.warn('readyz: the store can not be written', describeError(error))
        return 'unavailable'
      },
    ),
    directory.check().then(({ kind, detail }) => {
      if (kind === 'ok') return 'ok'
      log.warn('readyz: the directory of numbers can not be read', { detail })
      return 'unavailable'
    }),
    upstream.forwarder.check().then(({ isWell, failures }) => {
      for (const { name, error } of failures) {
        const fields = { upstream: name, ...describeError(error) }
        log.warn('readyz: an address of the application can not be reached', fields)
      }
      return isWell ? 'ok' : 'unavailable'
    }),
  ])
  const checks = {
    provider: provider.isKnown() ? 'ok' : 'unavailable',
    store: storeState,
    directory: directoryState,
    upstream: upstreamState,
  }
  const ready = Object.values(checks).every((state) => state === 'ok')
  const stateOf = (channel: Channel) => (circuit.isOpen(channel) ? 'degraded' : 'ok')
  const twilio = {
    sms: stateOf('sms'),
    ...(config.twilio.voiceFrom !== undefined && { calls: stateOf('call') }),
  }
  const status = ready ? 'ok' : 'unavailable'
  return jsonAnswer(ready ? 200 : 503, { status, checks: { ...checks, ...twilio } })
}

/** `GET /_stepgate/session`: times as ISO 8601 and in epoch seconds, as OpenID Connect has them. */
function answerSession({ context, session }: OwnRequest): Answer {
  if (session === undefined) {
    return jsonAnswer(
      401,
      { error: 'sign_in_required' },
      { 'WWW-Authenticate': 'Bearer realm="stepgate"' },
    )
  }
  const end = expiresAt(session, context.config.session)
  return jsonAnswer(200, {
    sub: session.subject,
    preferred_username: session.username,
    email: session.email,
    name: session.name,
    groups: session.groups,
    acr: session.acr,
    amr: session.amr,
    auth_time: Math.floor(session.authTime / 1000),
    ...(session.otpTime && { otp_time: Math.floor(session.otpTime / 1000) }),
    exp: Math.floor(end / 1000),
    expires_at: new Date(end).toISOString(),
  })
}
