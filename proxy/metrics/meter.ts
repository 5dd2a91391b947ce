import type { LabelsOf, MetricOf } from './definitions.ts'

/** Counts and measures what this process does. */
export type Meter = {
  /** One more. */
  count<Name extends MetricOf<'counter'>>(name: Name, labels: LabelsOf<Name>): void
  /** What comes back adds one, and is for where time counts: it is only a number until a reading. */
  counter<Name extends MetricOf<'counter'>>(name: Name, labels: LabelsOf<Name>): () => void
  /** A time that somebody else measured. */
  observe<Name extends MetricOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    seconds: number,
  ): void
  /** Measures from now until what comes back is called. */
  start<Name extends MetricOf<'histogram'>>(name: Name): (labels: LabelsOf<Name>) => void
  /** Absent from then on when `value` is undefined. */
  set<Name extends MetricOf<'gauge'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number | undefined,
  ): void
  /** Is awaited before each reading, to set what has to be asked for; it must not reject. */
  beforeReading(ask: () => Promise<void>): void
  read(): Promise<Reading>
  /** The same as `read`, as it is exposed. */
  readonly exposition: Exposition
}

/** All metrics of one process at one moment: JSON that only its adapter understands. */
export type Reading = readonly object[]

/** What a scrape gets. */
export type Exposition = { readonly contentType: string; text(): Promise<string> }
