import type { Target } from './target.ts'

/** Whether some reading of the target leads to stepgate's own pages, which are never forwarded. */
export function isOwnTarget({ paths }: Pick<Target, 'paths'>): boolean {
  return paths.some((path) => path === '/_stepgate' || path.startsWith('/_stepgate/'))
}
