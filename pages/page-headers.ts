/**
 * Content-Security-Policy of all pages: nothing inline, nothing from elsewhere but the brand's
 * logo. Chromium holds redirects after a form to `form-action` too; what a form of ours
 * redirects to has to be named in `formActionOrigins`.
 */
export function contentSecurityPolicy(
  brand: { readonly logo?: string | undefined },
  formActionOrigins: readonly string[] = [],
): string {
  const logo = logoSource(brand.logo)
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self'${logo === undefined ? '' : ` ${logo}`}`,
    "font-src 'self'",
    "connect-src 'self'",
    ["form-action 'self'", ...formActionOrigins].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/**
 * Headers of every page: never stored, never framed, and no address told to other hosts. The
 * referrer stays on for our own host: with `no-referrer` browsers send forms with `Origin: null`.
 */
export function pageHeaders(csp: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': csp,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  }
}

function logoSource(logo: string | undefined): string | undefined {
  if (logo === undefined) return undefined
  if (/^data:/i.test(logo)) return 'data:'
  return /^https:\/\//i.test(logo) ? URL.parse(logo)?.origin : undefined
}
