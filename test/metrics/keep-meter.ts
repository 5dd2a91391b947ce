import type { Meter } from '../../proxy/metrics/meter.ts'

/** A meter that keeps what it is told, a line each; times are left out. */
export function keepMeter(): { meter: Meter; lines: string[] } {
  const lines: string[] = []
  const keep = (name: string, labels: object, value?: number) =>
    void lines.push([name, ...Object.values(labels), value ?? []].flat().join(' '))
  const meter: Meter = {
    count: (name, labels) => keep(name, labels),
    counter: (name, labels) => () => keep(name, labels),
    observe: (name, labels, seconds) => keep(name, labels, seconds),
    start: (name) => (labels) => keep(name, labels),
    set: (name, labels, value) => keep(name, labels, value),
    beforeReading() {},
    read: async () => [],
    exposition: { contentType: 'text/plain', text: async () => '' },
  }
  return { meter, lines }
}
