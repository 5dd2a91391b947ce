import type { Config, Secrets } from './config.ts'
import { type Files, nodeFiles } from './files.ts'
import { type ConfigProblem, problemWith } from './problem.ts'
import { readBearer } from './read-bearer.ts'
import { readBrand } from './read-brand.ts'
import { readClient } from './read-client.ts'
import { readFront } from './read-front.ts'
import { readHeaders } from './read-headers.ts'
import { readLimits } from './read-limits.ts'
import { readMetrics } from './read-metrics.ts'
import { readPhoneSource } from './read-phone-source.ts'
import { readRules } from './read-rules.ts'
import { readSession } from './read-session.ts'
import { readStore } from './read-store.ts'
import { readTexts } from './read-texts.ts'
import { readTwilio } from './read-twilio.ts'
import { readValues } from './read-values.ts'
import type { Report, Settings, Warn } from './settings.ts'
import { unknownNames } from './unknown-names.ts'
import { fullName, VARIABLE_NAMES, type Values } from './variables.ts'
import { warnOfRisks } from './warn-of-risks.ts'

/** Everything that the program needs to know, or everything that is wrong, at once. */
export type LoadedConfig =
  | {
      readonly kind: 'ok'
      readonly config: Config
      readonly secrets: Secrets
      /** Sentences about what is allowed, but perhaps not meant. */
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] }

/** Reads the configuration from an environment and the files that it names. */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  files: Files = nodeFiles,
): LoadedConfig {
  const { texts, unusable, problems: textProblems } = readTexts(env, files)
  const { values, problems: valueProblems } = readValues(texts, unusable)
  const settings: Settings = { given: new Set([...texts.keys(), ...unusable]), values }

  const warnings: string[] = []
  const problems = [...unknownNames(env), ...textProblems, ...valueProblems]
  const read = readParts(
    settings,
    files,
    (name, problem) => problems.push(problemWith(name, problem)),
    (sentence) => warnings.push(sentence),
  )
  problems.sort((a, b) => rank(a) - rank(b))
  // Without a problem there is nothing that could not be read; should that be wrong, it's not ok.
  return problems.length > 0 || !read
    ? { kind: 'invalid', problems }
    : { kind: 'ok', ...read, warnings }
}

/** Unknown names first, then the table's order. */
function rank({ variable }: ConfigProblem): number {
  return VARIABLE_NAMES.findIndex((name) => fullName(name) === variable)
}

function readParts(
  settings: Settings,
  files: Files,
  report: Report,
  warn: Warn,
): { config: Config; secrets: Secrets } | undefined {
  // All of them run before the first is looked at, so that all problems are found.
  const front = readFront(settings, files, report, warn)
  const session = readSession(settings, report)
  const credential = readClient(settings, report)
  const rules = readRules(settings, report)
  const bearer = readBearer(settings, rules, report)
  const twilio = readTwilio(settings, report, warn)
  const phone = readPhoneSource(settings, files, report, warn)
  const metrics = readMetrics(settings, report)
  const storage = readStore(settings, files, report)
  const headers = readHeaders(settings, report)
  const brand = readBrand(settings, files, report)
  warnOfRisks(settings, warn)

  if (!front || !session || !twilio || !phone || !storage || credential === undefined)
    return undefined
  if (!isComplete(settings.values)) return undefined
  const { twilioSecret, twilioToken, ...twilioConfig } = twilio
  const { ldapBindPassword, ...phoneConfig } = phone
  const { values } = settings
  return {
    config: {
      ...front,
      ...metrics,
      limits: readLimits(values),
      session,
      ...plainConfig(values),
      rules,
      ...bearer,
      ...twilioConfig,
      ...phoneConfig,
      store: storage.store,
      headers,
      ...brand,
    },
    secrets: {
      sessionSecrets: values.SESSION_SECRET,
      oidcCredential: credential,
      twilioSecret,
      ...(twilioToken !== undefined && { twilioToken }),
      ...(ldapBindPassword !== undefined && { ldapBindPassword }),
      ...(values.HEADERS_SECRET !== undefined && { headersSecret: values.HEADERS_SECRET }),
      store: storage.storeSecrets,
    },
  }
}

function isComplete(values: Partial<Values>): values is Values {
  return VARIABLE_NAMES.every((name) => name in values)
}

/** What a variable says by itself. */
function plainConfig(
  values: Values,
): Pick<
  Config,
  | 'oidc'
  | 'resumeMaxBody'
  | 'defaultAcr'
  | 'otp'
  | 'smsLimits'
  | 'workers'
  | 'voiceLimits'
  | 'trustedProxies'
  | 'proxyHeaders'
  | 'assertion'
  | 'headersEncoding'
  | 'sessionPages'
  | 'encodedSlashes'
  | 'log'
> {
  return {
    oidc: {
      issuer: values.OIDC_ISSUER,
      clientId: values.OIDC_CLIENT_ID,
      scopes: values.OIDC_SCOPES,
      usernameClaim: values.OIDC_USERNAME_CLAIM,
      groupsClaim: values.OIDC_GROUPS_CLAIM,
      ...(values.OIDC_GROUPS !== undefined && { groups: values.OIDC_GROUPS }),
      trustAcr: values.OIDC_TRUST_ACR ?? [],
      request: {
        acrValues: values.OIDC_ACR_VALUES ?? [],
        ...(values.OIDC_CLAIMS && { claims: values.OIDC_CLAIMS }),
        prompt: values.OIDC_PROMPT ?? [],
        ...(values.OIDC_UI_LOCALES !== undefined && { uiLocales: values.OIDC_UI_LOCALES }),
        loginHint: values.OIDC_LOGIN_HINT,
        parameters: values.OIDC_PARAMETERS ?? [],
        par: values.OIDC_PAR,
      },
    },
    resumeMaxBody: values.RESUME_MAX_BODY,
    defaultAcr: values.DEFAULT_ACR,
    smsLimits: {
      person: values.SMS_LIMIT_PERSON,
      number: values.SMS_LIMIT_NUMBER,
      address: values.SMS_LIMIT_ADDRESS,
      prefix: values.SMS_LIMIT_PREFIX,
      unknown: values.SMS_LIMIT_UNKNOWN,
      budget: values.SMS_BUDGET,
      verifiedAlarm: values.SMS_VERIFIED_ALARM,
    },
    voiceLimits: {
      person: values.VOICE_LIMIT_PERSON,
      number: values.VOICE_LIMIT_NUMBER,
      address: values.VOICE_LIMIT_ADDRESS,
      prefix: values.VOICE_LIMIT_PREFIX,
      unknown: values.VOICE_LIMIT_UNKNOWN,
      budget: values.VOICE_BUDGET,
    },
    otp: { length: values.OTP_LENGTH, ttl: values.OTP_TTL, attempts: values.OTP_ATTEMPTS },
    workers: values.WORKERS,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    proxyHeaders: values.PROXY_HEADERS,
    assertion: values.ASSERTION,
    headersEncoding: values.HEADERS_ENCODING,
    sessionPages: values.SESSION_PAGES,
    encodedSlashes: values.ENCODED_SLASHES,
    log: { level: values.LOG_LEVEL, access: values.ACCESS_LOG },
  }
}
