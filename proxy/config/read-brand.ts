import { join } from 'node:path'
import type { Config } from './config.ts'
import { type Files, unreadable } from './files.ts'
import type { Report, Settings } from './settings.ts'

/** Name and looks, with the folder of replaced pages that a logo may be in. */
export function readBrand(
  { values }: Settings,
  files: Files,
  report: Report,
): Pick<Config, 'brand' | 'pagesDir'> {
  const { BRAND_LOGO: logo, BRAND_COLOR: color, SUPPORT_CONTACT: supportContact } = values
  const pagesDir = values.PAGES_DIR
  checkPagesDir(pagesDir, files, report)
  checkLogo(logo, pagesDir, files, report)
  const name = values.BRAND_NAME ?? values.PUBLIC_URL?.hostname ?? ''
  return {
    brand: {
      name,
      ...(logo !== undefined && { logo }),
      ...(color !== undefined && { color }),
      ...(supportContact !== undefined && { supportContact }),
    },
    ...(pagesDir !== undefined && { pagesDir }),
  }
}

function checkPagesDir(pagesDir: string | undefined, files: Files, report: Report): void {
  if (pagesDir === undefined) return
  try {
    files.list(pagesDir)
  } catch (error) {
    report('PAGES_DIR', `is unusable: ${unreadable(pagesDir, error)}`)
  }
}

function checkLogo(
  logo: string | undefined,
  pagesDir: string | undefined,
  files: Files,
  report: Report,
): void {
  if (logo === undefined || /^(https|data):/.test(logo)) return
  if (pagesDir === undefined) {
    report(
      'BRAND_LOGO',
      `is the file name ${JSON.stringify(logo)}, but STEPGATE_PAGES_DIR is not set`,
    )
    return
  }
  try {
    files.read(join(pagesDir, logo))
  } catch (error) {
    report('BRAND_LOGO', `is unusable: ${unreadable(join(pagesDir, logo), error)}`)
  }
}
