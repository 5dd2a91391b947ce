import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong on the page as it stands: rule and element. */
export async function axeFindings(page: Page): Promise<string[]> {
  // Evaluated, not injected: the page's own Content-Security-Policy stays in force.
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(
    (): Promise<AxeResults> => Reflect.get(globalThis, 'axe').run(),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
