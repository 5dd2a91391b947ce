/** One line of the Prometheus text format. */
export type Sample = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a scrape answered. */
export type Exposition = {
  readonly text: string
  readonly contentType: string | null
  readonly samples: readonly Sample[]
  /** The sum of the samples of this name that have these labels. */
  value(name: string, labels?: Readonly<Record<string, string>>): number
}

/** Asks for the metrics at `host:port`. */
export async function scrape(address: string): Promise<Exposition> {
  const response = await fetch(`http://${address}/metrics`)
  if (response.status !== 200) throw new Error(`Metrics: ${response.status}`)
  return {
    ...readExposition(await response.text()),
    contentType: response.headers.get('content-type'),
  }
}

/** Reads the text format; throws at a line that is none. */
export function readExposition(text: string): Exposition {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !/^# (HELP|TYPE) \w+ /.test(line))
    .map(readSample)
  return {
    text,
    contentType: null,
    samples,
    value: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([key, is]) => sample.labels[key] === is))
        .reduce((sum, { value }) => sum + value, 0),
  }
}

function readSample(line: string): Sample {
  const match = /^([a-z0-9_]+)(?:\{((?:[a-z_]+="[^"\\]*",?)*)\})? (\S+)$/.exec(line)
  const [, name, labels = '', value] = match ?? []
  // Of times of which none was measured yet.
  const number = value === 'Nan' ? Number.NaN : Number(value)
  if (name === undefined || (Number.isNaN(number) && value !== 'Nan')) {
    throw new Error(`No sample: ${line}`)
  }
  const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)]
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, key = '', is = '']) => [key, is])),
    value: number,
  }
}
