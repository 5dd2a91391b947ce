import { StartError } from '../proxy/explain-failure.ts'

/** The demo's ports, on loopback. */
export type DemoPorts = {
  readonly stepgate: number
  readonly provider: number
  readonly application: number
  readonly phone: number
}

/** The account that the stand-in for Twilio knows. */
export const demoTwilio = {
  accountSid: 'ACdeadbeefdeadbeefdeadbeefdeadbeef',
  authToken: 'demo-token-that-opens-nothing-else',
} as const

const FIRST_PORT = 8080

/** Four ports from `STEPGATE_DEMO_PORT` on, 8080 by default. Throws a `StartError`. */
export function demoPorts(first: string | undefined): DemoPorts {
  const port = first === undefined || first === '' ? FIRST_PORT : Number(first)
  if (!Number.isInteger(port) || port < 1 || port > 65_532) {
    throw new StartError('STEPGATE_DEMO_PORT must be a port from 1 to 65532, e.g. 9000')
  }
  return { stepgate: port, provider: port + 1, application: port + 2, phone: port + 3 }
}

/** stepgate's environment in the demo; what `env` says of stepgate's variables comes first. */
export function demoEnvironment(
  ports: DemoPorts,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => name.startsWith('STEPGATE_'))
  return {
    STEPGATE_PUBLIC_URL: `http://127.0.0.1:${ports.stepgate}`,
    STEPGATE_LISTEN: `127.0.0.1:${ports.stepgate}`,
    STEPGATE_UPSTREAM: `http://127.0.0.1:${ports.application}`,
    STEPGATE_SESSION_SECRET: 'demo-secret-3f1d9c47-5b86-4d0e-a2c8-71e90b64',
    STEPGATE_OIDC_ISSUER: `http://127.0.0.1:${ports.provider}`,
    STEPGATE_OIDC_CLIENT_ID: 'stepgate',
    STEPGATE_OIDC_CLIENT_SECRET: 'demo-client-secret-8c2a7f',
    STEPGATE_OIDC_SCOPES: 'openid profile email phone',
    STEPGATE_TWILIO_SID: demoTwilio.accountSid,
    STEPGATE_TWILIO_TOKEN: demoTwilio.authToken,
    STEPGATE_TWILIO_FROM_NUMBER: '+4915228817000',
    STEPGATE_TWILIO_API_URL: `http://127.0.0.1:${ports.phone}`,
    STEPGATE_RULES: 'public /public /payroll.css; basic /basic /challenge /salaries',
    STEPGATE_STORE: 'memory:',
    STEPGATE_BRAND_NAME: 'Example Corp',
    STEPGATE_SUPPORT_CONTACT: 'help@example.com',
    STEPGATE_ACCESS_LOG: 'off',
    ...Object.fromEntries(own),
  }
}
