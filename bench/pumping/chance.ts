/** Seeded chance (mulberry32), so that a run can be had again. */
export type Chance = {
  /** At least 0, less than 1. */
  unit(): number
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  happens(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** Normally distributed around `mean`. */
  around(mean: number, deviation: number): number
}

/** Chance that is the same for the same seed. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(unit() * limit)
  return {
    unit,
    below,
    happens: (probability) => unit() < probability,
    pick(list) {
      const picked = list[below(list.length)]
      if (picked === undefined) throw new RangeError('Nothing to pick from')
      return picked
    },
    around: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  }
}
