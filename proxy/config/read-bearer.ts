import type { Rule } from '../policy/rule.ts'
import type { Config } from './config.ts'
import type { Report, Settings } from './settings.ts'

/** How access tokens are checked; a rule that takes them and an audience need each other. */
export function readBearer(
  { given, values }: Settings,
  rules: readonly Rule[],
  report: Report,
): Pick<Config, 'bearer'> {
  const { BEARER_AUDIENCE: audiences, BEARER_INTROSPECTION: introspection } = values
  const rule = rules.find(({ bearer }) => bearer)
  if (rule === undefined) {
    // Rules that could not be read may well hold the word.
    if (!given.has('RULES') || rules.length > 0) {
      for (const name of ['BEARER_AUDIENCE', 'BEARER_INTROSPECTION'] as const) {
        if (values[name] !== undefined)
          report(name, 'is set, but no rule in STEPGATE_RULES says bearer')
      }
    }
    return {}
  }
  if (!given.has('BEARER_AUDIENCE')) {
    report('BEARER_AUDIENCE', `is not set, but a rule says bearer: ${rule.source}`)
  }
  if (audiences === undefined) return {}
  if (introspection === undefined && audiences.some((each) => each === values.OIDC_CLIENT_ID)) {
    report(
      'BEARER_AUDIENCE',
      'holds STEPGATE_OIDC_CLIENT_ID, for which ID tokens are, and they must not pass for access tokens; let the provider give the API an audience of its own',
    )
  }
  return { bearer: { audiences, ...(introspection !== undefined && { introspection }) } }
}
