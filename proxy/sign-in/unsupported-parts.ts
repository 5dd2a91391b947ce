import type { AuthorizationSettings } from '../config/config.ts'

/** What a provider says of itself (OpenID Connect Discovery §3), believed to be of no certain type. */
type Metadata = Readonly<
  Partial<
    Record<
      'acr_values_supported' | 'prompt_values_supported' | 'claims_parameter_supported',
      unknown
    >
  >
>

/** What configuration asks a provider for that its metadata does not say it knows, for `stepgate check`. */
export function unsupportedParts(
  { acrValues, prompt, claims }: AuthorizationSettings,
  metadata: Metadata,
): readonly string[] {
  return [
    ...unlisted('STEPGATE_OIDC_ACR_VALUES', acrValues, metadata.acr_values_supported),
    ...unlisted('STEPGATE_OIDC_PROMPT', prompt, metadata.prompt_values_supported),
    ...(claims !== undefined && metadata.claims_parameter_supported !== true
      ? ['its metadata does not say that it reads STEPGATE_OIDC_CLAIMS']
      : []),
  ]
}

function unlisted(variable: string, asked: readonly string[], listed: unknown): readonly string[] {
  if (!Array.isArray(listed)) return []
  const missing = asked.filter((value) => !listed.includes(value))
  return missing.length === 0
    ? []
    : [`its metadata does not list ${missing.join(', ')} of ${variable}`]
}
