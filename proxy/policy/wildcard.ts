/** What a sequence with wildcards consists of, and which item each other part fits. */
export type Wildcards<Part, Item> = {
  readonly isWild: (part: Part) => boolean
  readonly fits: (part: Part, item: Item) => boolean
}

/**
 * Whether the parts match all items, where a wild part stands for any number of them. Only the last
 * wild part is ever tried again, so the work is bounded by parts × items, whatever the input.
 */
export function matchesWildcards<Part, Item>(
  parts: ArrayLike<Part>,
  items: ArrayLike<Item>,
  { isWild, fits }: Wildcards<Part, Item>,
): boolean {
  let part = 0
  let item = 0
  let lastWild = -1
  let resumeAt = 0
  while (item < items.length) {
    if (part < parts.length && isWild(parts[part] as Part)) {
      lastWild = part++
      resumeAt = item
    } else if (part < parts.length && fits(parts[part] as Part, items[item] as Item)) {
      part++
      item++
    } else if (lastWild >= 0) {
      part = lastWild + 1
      item = ++resumeAt
    } else {
      return false
    }
  }
  while (part < parts.length && isWild(parts[part] as Part)) part++
  return part === parts.length
}
