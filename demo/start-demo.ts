import { setTimeout as sleep } from 'node:timers/promises'
import { formatProblems } from '../proxy/config/format-problems.ts'
import { loadConfig } from '../proxy/config/load-config.ts'
import type { Overrides } from '../proxy/context.ts'
import { StartError } from '../proxy/explain-failure.ts'
import { startStepgate } from '../proxy/start.ts'
import { type DemoApplication, startApplication } from './application.ts'
import { demoEnvironment, demoPorts, demoTwilio } from './demo-environment.ts'
import { demoPeople } from './people.ts'
import { startPhone } from './phone.ts'
import { type DemoProvider, startProvider } from './provider.ts'
import { clientCredential } from './provider-store.ts'
import { createTwilioStandIn, type TwilioStandIn } from './twilio-api.ts'

/** `env` may set `STEPGATE_DEMO_PORT`, the first of the four ports, and any variable of stepgate. */
export type DemoOptions = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly overrides?: Overrides
}

/** The four servers, running. */
export type Demo = {
  readonly url: URL
  readonly phoneUrl: URL
  readonly provider: DemoProvider
  readonly application: DemoApplication
  readonly twilio: TwilioStandIn
  close(): Promise<void>
}

// In ms: slow enough to be seen.
const DELIVERIES = {
  sms: [
    { status: 'queued' },
    { status: 'sent', after: 1000 },
    { status: 'delivered', after: 2000 },
  ],
  call: [{ status: 'completed', after: 5000 }],
}

/** Starts provider, application, phone and stepgate, ready for a visit; rejects when a port is taken. */
export async function startDemo({ env, overrides }: DemoOptions): Promise<Demo> {
  const ports = demoPorts(env.STEPGATE_DEMO_PORT)
  const environment = demoEnvironment(ports, env)
  const loaded = loadConfig(environment)
  if (loaded.kind === 'invalid') throw new StartError(formatProblems(loaded.problems))
  if (loaded.config.workers !== 1) {
    throw new StartError('the demo runs in one process: leave STEPGATE_WORKERS out')
  }
  const url = loaded.config.publicUrl

  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const provider = await startProvider({
      port: ports.provider,
      clients: [
        {
          client_id: loaded.config.oidc.clientId,
          ...clientCredential(loaded.secrets.oidcCredential),
          redirect_uris: [new URL('/_stepgate/callback', url).href],
          post_logout_redirect_uris: [new URL('/_stepgate/signed-out', url).href],
          backchannel_logout_uri: new URL('/_stepgate/backchannel-logout', url).href,
          backchannel_logout_session_required: true,
        },
      ],
      people: demoPeople,
      hint: 'Demo: alice, bob or carol; the password is the same word.',
    })
    closers.push(() => provider.close())
    // A provider's claim holds one number; that Bob has two is what makes him worth a visit.
    for (const { username, phoneNumbers } of demoPeople) {
      if (phoneNumbers.length > 1) provider.setClaims(username, { phone_number: [...phoneNumbers] })
    }
    const application = await startApplication({ port: ports.application })
    closers.push(() => application.close())
    const twilio = createTwilioStandIn({ ...demoTwilio, deliveries: DELIVERIES, clock: Date.now })
    const phone = await startPhone({
      port: ports.phone,
      standIn: twilio,
      owners: ownersOf(),
      clock: Date.now,
    })
    closers.push(() => phone.close())
    const stepgate = await startStepgate(loaded.config, loaded.secrets, overrides)
    closers.push(() => stepgate.close())
    await untilReady(url)
    return { url, phoneUrl: phone.url, provider, application, twilio, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What somebody who has just started the demo wants to know. */
export function demoGreeting({ url, phoneUrl }: Demo): string {
  return `
  The application, behind stepgate   ${url.href}
  The phone that gets the codes      ${phoneUrl.href}

  Sign in as alice, bob or carol; the password is the same word.
  alice has one number, bob has two, carol has none. Ctrl-C ends it all.
`
}

/** Discovery goes on behind the start; a few seconds are enough for what runs on this machine. */
async function untilReady(url: URL): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const ready = await fetch(new URL('/_stepgate/readyz', url)).catch(() => undefined)
    if (ready?.ok) return
    await sleep(50)
  }
}

function ownersOf(): Record<string, string> {
  return Object.fromEntries(
    demoPeople.flatMap(({ username, phoneNumbers }) =>
      phoneNumbers.map((number) => [number, username]),
    ),
  )
}
