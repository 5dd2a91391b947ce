import { matchesWildcards } from './wildcard.ts'

const STAR = {
  isWild: (part: string) => part === '*',
  fits: (part: string, item: string) => part === item,
}

/** Whether a group is one of those that the patterns name; `*` stands for any characters. */
export function matchesGroup(patterns: readonly string[], group: string): boolean {
  return patterns.some((pattern) => matchesWildcards(pattern, group, STAR))
}
