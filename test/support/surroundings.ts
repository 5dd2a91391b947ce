import { type DemoApplication, startApplication } from '../../demo/application.ts'
import { demoEnvironment, demoTwilio } from '../../demo/demo-environment.ts'
import { demoPeople } from '../../demo/people.ts'
import { startPhone } from '../../demo/phone.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import type { ProviderClient } from '../../demo/provider-store.ts'
import { createTwilioStandIn, type TwilioStandIn } from '../../demo/twilio-api.ts'
import { declareSecret } from './canaries.ts'
import { freePort } from './free-port.ts'

/** Everything around a stepgate that runs as a process of its own. */
export type Surroundings = {
  /** Where that stepgate is to listen. */
  readonly url: URL
  /** Its whole environment, with changes; `undefined` takes a variable away. */
  env(changes?: Readonly<Record<string, string | undefined>>): Record<string, string>
  readonly provider: DemoProvider
  /** As that stepgate is registered there. */
  readonly client: ProviderClient
  readonly application: DemoApplication
  readonly twilio: TwilioStandIn
  readonly phoneUrl: URL
  /** The code in the newest message to this number; throws when there is none. */
  codeFor(to: string): string
  close(): Promise<void>
}

/**
 * Starts provider, application and phone on free loopback ports. With `backChannel` the provider
 * tells of the end of its sessions.
 */
export async function startSurroundings(
  options: { readonly backChannel?: 'sid' } = {},
): Promise<Surroundings> {
  const port = await freePort()
  const url = new URL(`http://127.0.0.1:${port}`)
  const provider = await startProvider({ port: 0, clients: [], people: demoPeople })
  const application = await startApplication({ port: 0 })
  const twilio = createTwilioStandIn({ ...demoTwilio, clock: Date.now })
  const phone = await startPhone({ port: 0, standIn: twilio, owners: {}, clock: Date.now })
  const defaults = demoEnvironment(
    {
      stepgate: port,
      provider: Number(provider.issuer.port),
      application: Number(application.url.port),
      phone: Number(phone.url.port),
    },
    {},
  )
  for (const [name, value] of Object.entries(defaults)) {
    if (value !== undefined && /SECRET|TOKEN/.test(name)) declareSecret(name, value)
  }
  const client = {
    client_id: defaults.STEPGATE_OIDC_CLIENT_ID ?? '',
    client_secret: defaults.STEPGATE_OIDC_CLIENT_SECRET ?? '',
    redirect_uris: [new URL('/_stepgate/callback', url).href],
    post_logout_redirect_uris: [new URL('/_stepgate/signed-out', url).href],
    ...(options.backChannel && {
      backchannel_logout_uri: new URL('/_stepgate/backchannel-logout', url).href,
      backchannel_logout_session_required: true,
    }),
  }
  provider.putClient(client)
  return {
    url,
    env(changes = {}) {
      const all = Object.entries({ ...defaults, STEPGATE_METRICS_LISTEN: 'off', ...changes })
      return Object.fromEntries(
        all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      )
    },
    provider,
    client,
    application,
    twilio,
    phoneUrl: phone.url,
    codeFor(to) {
      const message = twilio.messages().find((sms) => sms.to === to)
      const code = message?.body.match(/#(\d+)$/)?.[1]
      if (code === undefined) throw new Error('No message with a code has come to this number')
      declareSecret('code', code)
      return code
    },
    async close() {
      await Promise.all([provider.close(), application.close(), phone.close()])
    },
  }
}
