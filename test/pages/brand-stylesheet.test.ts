import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { brandStylesheet, DEFAULT_COLOR } from '../../pages/brand-stylesheet.ts'

type Theme = Readonly<Record<string, string>>

function themesOf(css: string): { light: Theme; dark: Theme } {
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)')
  const read = (part: string) =>
    Object.fromEntries([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, n, v]) => [n, v]))
  return { light: read(light), dark: read(dark) }
}

/** WCAG 2.2, "relative luminance" and "contrast ratio", written down a second time. */
function contrast(one = '', other = ''): number {
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(color.slice(at, at + 2), 16) / 255
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

const EDGES = [
  '#000000',
  '#ffffff',
  '#ffff00',
  '#777777',
  '#0000ff',
  '#ff0000',
  '#00ff00',
  DEFAULT_COLOR,
]
const color = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, '0')}`),
)

describe('the brand’s stylesheet', () => {
  it('keeps text readable and edges visible whatever the colour, in both themes', () => {
    fc.assert(
      fc.property(color, (brand) => {
        const { light, dark } = themesOf(brandStylesheet(brand))
        for (const theme of [light, dark]) {
          assert.ok(contrast(theme['on-brand'], theme.brand) >= 4.5, 'text on a button')
          assert.ok(
            contrast(theme['on-brand'], theme['brand-hover']) >= 4.5,
            'text on it when hovered',
          )
          assert.ok(contrast(theme['brand-text'], theme.card) >= 4.5, 'a link on the card')
          assert.ok(contrast(theme['brand-text'], theme.page) >= 4.5, 'a link on the page')
          assert.ok(contrast(theme['brand-edge'], theme.card) >= 3, 'the edge of a button')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps a link readable on the tint it may stand on', () => {
    for (const brand of EDGES) {
      const { light, dark } = themesOf(brandStylesheet(brand))
      for (const theme of [light, dark]) {
        assert.ok(contrast(theme['brand-text'], theme['brand-tint']) >= 4.5, brand)
      }
    }
  })

  it('shows the brand’s own colour on light buttons', () => {
    assert.equal(themesOf(brandStylesheet('#FFD400')).light.brand, '#ffd400')
  })

  it('is stepgate’s own without a colour, or with what is none', () => {
    assert.equal(brandStylesheet(), brandStylesheet(DEFAULT_COLOR))
    assert.equal(brandStylesheet('red} body{display:none'), brandStylesheet(DEFAULT_COLOR))
  })

  it('sets every colour of the brand that the other stylesheet uses', async () => {
    const css = await readFile(new URL('../../pages/assets/stepgate.css', import.meta.url), 'utf8')
    const set = new Set([...css.matchAll(/(--[\w-]+):/g)].map(([, name]) => name))
    const used = [...css.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name ?? '')
    const brand = brandStylesheet()
    assert.deepEqual(
      used.filter((name) => !set.has(name) && !brand.includes(`${name}:`)),
      [],
    )
  })
})
