import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type Metric,
  Registry,
} from 'prom-client'
import { type Definition, METRICS, type MetricName } from './definitions.ts'
import type { Meter, Reading } from './meter.ts'

// So many series are there from the start, as 0: a rate needs a value before the first event.
const MOST_FROM_START = { counter: 64, histogram: 4 } as const

/** A meter in the Prometheus format, with the metrics of the process itself. */
export function createPromMeter(): Meter {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics = new Map(
    Object.entries(METRICS).map(([name, definition]) => [
      name,
      register(registry, name, definition),
    ]),
  )
  const askers: (() => Promise<void>)[] = []
  const ask = () => Promise.all(askers.map((asker) => asker()))

  // What is registered under a name is of the kind that its type says.
  const get = <M extends Metric>(name: MetricName) => metrics.get(name) as M
  const meter: Meter = {
    count: (name, labels) => get<Counter>(name).inc(labels),
    counter(name, labels) {
      let more = 0
      askers.push(async () => {
        get<Counter>(name).inc(labels, more)
        more = 0
      })
      return () => {
        more++
      }
    },
    observe: (name, labels, seconds) => get<Histogram>(name).observe(labels, seconds),
    start(name) {
      const began = performance.now()
      return (labels) => meter.observe(name, labels, (performance.now() - began) / 1000)
    },
    set(name, labels, value) {
      if (value === undefined) get<Gauge>(name).remove(labels)
      else get<Gauge>(name).set(labels, value)
    },
    beforeReading(asker) {
      askers.push(asker)
    },
    async read() {
      await ask()
      return registry.getMetricsAsJSON()
    },
    exposition: {
      contentType: registry.contentType,
      async text() {
        await ask()
        return registry.metrics()
      },
    },
  }
  meter.set('stepgate_processes', {}, 1)
  return meter
}

function register(registry: Registry, name: string, definition: Definition): Metric {
  const { kind, help, labels } = definition
  const settings = { name, help, labelNames: Object.keys(labels), registers: [registry] }
  const sets = labelSets(labels)
  switch (kind) {
    case 'counter': {
      const counter = new Counter(settings)
      if (sets.length <= MOST_FROM_START[kind]) for (const set of sets) counter.inc(set, 0)
      return counter
    }
    case 'gauge': {
      const gauge = new Gauge({ ...settings, aggregator: definition.over })
      // What all processes see the same is not known yet.
      if (definition.over === 'sum') for (const set of sets) gauge.set(set, 0)
      return gauge
    }
    case 'histogram': {
      const histogram = new Histogram({ ...settings, buckets: [...definition.buckets] })
      if (sets.length <= MOST_FROM_START[kind]) for (const set of sets) histogram.zero(set)
      return histogram
    }
  }
}

function labelSets(labels: Definition['labels']): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [name, values]) =>
      sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value }))),
    [{}],
  )
}

/** The sum over several processes, as a scrape gets it. */
export function exposeSum(readings: readonly Reading[]): Promise<string> {
  return sum(readings).metrics()
}

/** What goes on counting of processes that have ended: totals, but nothing that is so at a moment. */
export async function keepTotals(readings: readonly Reading[]): Promise<Reading> {
  const all = await sum(readings).getMetricsAsJSON()
  const kinds: readonly unknown[] = ['counter', 'histogram']
  return all.filter(({ type }) => kinds.includes(type))
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

function sum(readings: readonly Reading[]): Registry {
  return AggregatorRegistry.aggregate([...readings])
}
