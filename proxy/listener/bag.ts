/** Things without an order, each of which leaves by what `add` gave for it; iterated as it is now. */
export type Bag<Item> = Iterable<Item> & { add(item: Item): () => void }

/**
 * For what comes and goes with every request. A Set would do the same, but as it changes it replaces
 * its table again and again, and each old table keeps the next one and all that is in it until a
 * full collection of garbage: no request would die young.
 */
export function createBag<Item>(): Bag<Item> {
  const entries: { readonly item: Item; at: number }[] = []
  return {
    add(item) {
      const entry = { item, at: entries.length }
      entries.push(entry)
      return () => {
        if (entries[entry.at] !== entry) return
        const last = entries.pop() ?? entry
        if (last === entry) return
        entries[entry.at] = last
        last.at = entry.at
      }
    },
    [Symbol.iterator]: () => entries.map(({ item }) => item).values(),
  }
}
