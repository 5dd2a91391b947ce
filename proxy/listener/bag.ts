/** Things without an order, each of which leaves by the place that `add` gave it; iterated as it is now. */
export type Bag<Item> = Iterable<Item> & {
  add(item: Item): Place<Item>
  /** Once is enough; again does nothing. */
  remove(place: Place<Item>): void
}

/** Where something is in a bag: an object and no function, which would cost a request a quarter more. */
export type Place<Item> = { readonly item: Item; at: number }

/**
 * For what comes and goes with every request. A Set would do the same, but as it changes it replaces
 * its table again and again, and each old table keeps the next one and all that is in it until a
 * full collection of garbage: no request would die young.
 */
export function createBag<Item>(): Bag<Item> {
  const places: Place<Item>[] = []
  return {
    add(item) {
      const place = { item, at: places.length }
      places.push(place)
      return place
    },
    remove(place) {
      if (places[place.at] !== place) return
      const last = places.pop() ?? place
      if (last === place) return
      places[place.at] = last
      last.at = place.at
    },
    [Symbol.iterator]: () => places.map(({ item }) => item).values(),
  }
}
