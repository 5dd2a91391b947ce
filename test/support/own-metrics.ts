import { type Definition, METRICS } from '../../proxy/metrics/definitions.ts'
import type { Sample } from './exposition.ts'

const DEFINITIONS: Readonly<Record<string, Definition>> = METRICS

/** The metric that a sample belongs to; a histogram has three names more. */
export function metricOf(name: string): string {
  const histogram = /^(.+_seconds)_(?:bucket|sum|count)$/.exec(name)?.[1]
  return histogram ?? name
}

/** Samples of stepgate's own that have a label, or a value of one, which no definition has. */
export function strayLabels(samples: readonly Sample[]): readonly Sample[] {
  return samples.filter(({ name, labels }) => {
    if (!name.startsWith('stepgate_')) return false
    const definition = DEFINITIONS[metricOf(name)]
    if (definition === undefined) return true
    const { le, ...own } = labels
    if (le !== undefined && !isBucket(definition, le)) return true
    return Object.entries(own).some(([label, value]) => !definition.labels[label]?.includes(value))
  })
}

function isBucket(definition: Definition, le: string): boolean {
  if (definition.kind !== 'histogram') return false
  return le === '+Inf' || definition.buckets.includes(Number(le))
}
