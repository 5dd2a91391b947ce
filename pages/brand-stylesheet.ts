/** A colour as its sRGB channels, 0 to 255. */
type Rgb = readonly [number, number, number]

type Theme = { readonly page: Rgb; readonly card: Rgb; readonly away: Rgb }

const BLACK: Rgb = [0, 0, 0]
const WHITE: Rgb = [255, 255, 255]

/** stepgate's own green, for installations without a colour of their own. */
export const DEFAULT_COLOR = '#0f6b5a'

/** Surfaces of both themes: `stepgate.css` draws on what this file sets. */
const LIGHT: Theme = { page: [244, 244, 240], card: WHITE, away: BLACK }
const DARK: Theme = { page: [16, 20, 19], card: [26, 32, 30], away: WHITE }

/**
 * The stylesheet that carries the brand's colour (`#rrggbb`), since inline styles are forbidden.
 * Whatever the colour, text in it and on it keeps a contrast of 4.5:1 and edges one of 3:1
 * (WCAG 2.2, 1.4.3 and 1.4.11), in both themes.
 */
export function brandStylesheet(color: string = DEFAULT_COLOR): string {
  const brand = parse(color) ?? (parse(DEFAULT_COLOR) as Rgb)
  return `:root {\n${properties(brand, LIGHT)}}\n@media (prefers-color-scheme: dark) {\n:root {\n${properties(brand, DARK)}}\n}\n`
}

function properties(brand: Rgb, theme: Theme): string {
  const surfaces = [theme.page, theme.card]
  // On a dark card a dark fill would vanish; on a light one the brand's own colour stays as it is.
  const fill = theme === DARK ? reach(brand, [theme.card], 3, theme.away) : brand
  const onFill = contrast(fill, WHITE) >= 4.5 ? WHITE : BLACK
  const tint = mix(theme.card, reach(brand, [theme.card], 3, theme.away), 0.1)
  const text = reach(brand, [...surfaces, tint], theme === DARK ? 6.5 : 4.6, theme.away)
  const values: Record<string, Rgb> = {
    '--page': theme.page,
    '--card': theme.card,
    '--brand': fill,
    '--on-brand': onFill,
    '--brand-hover': mix(fill, onFill === WHITE ? BLACK : WHITE, 0.14),
    '--brand-edge': reach(fill, surfaces, 3, theme.away),
    '--brand-text': text,
    '--brand-tint': tint,
    '--brand-shade': mix(theme.page, text, 0.07),
  }
  return Object.entries(values)
    .map(([name, value]) => `  ${name}: ${hex(value)};\n`)
    .join('')
}

/** The nearest colour on the way to `away` that has this contrast with all surfaces. */
function reach(color: Rgb, surfaces: readonly Rgb[], ratio: number, away: Rgb): Rgb {
  for (let part = 0; part < 1; part += 0.02) {
    const mixed = mix(color, away, part)
    if (surfaces.every((surface) => contrast(mixed, surface) >= ratio)) return mixed
  }
  return away
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const channel = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * part)
  return [channel(0), channel(1), channel(2)]
}

/** Contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio"). */
function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function parse(color: string): Rgb | undefined {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return undefined
  const channel = (at: number) => Number.parseInt(color.slice(at, at + 2), 16)
  return [channel(1), channel(3), channel(5)]
}

function hex(color: Rgb): string {
  return `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
