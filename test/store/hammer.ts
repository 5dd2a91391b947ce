import { once } from 'node:events'
import { openAddress } from './open-address.ts'

/**
 * One of several processes that use the same store and keys at once: `hammer.ts STORE NAME`, the
 * store as STEPGATE_STORE has it. Says `ready`, waits for a byte on its input, and prints as JSON
 * what it got of each.
 */
const [address = '', name = ''] = process.argv.slice(2)
const NOW = 1_700_000_000_000
const WAITS = [0, 0, 0, 0, Infinity]
const rounds = Array.from({ length: 300 }, (_, round) => round)

process.stdout.write('ready')
await once(process.stdin, 'data')
process.stdin.destroy()

// New files: all processes make the same one at the same time.
for (let index = 0; address.startsWith('sqlite:') && index < 10; index++) {
  const fresh = await openAddress(`${address}.${index}`)
  await fresh.close()
}

const store = await openAddress(address)
const got = { strikes: 0, counted: 0, swapped: 0, taken: 0 }
for (const round of rounds) {
  const strike = await store.strike(`s${round % 20}`, WAITS, NOW + 99, NOW)
  if (strike.kind === 'counted') got.strikes++
  const counted = await store.count([{ key: 'n', limit: 500, windowMs: 99 }], NOW)
  if (counted.kind === 'counted') got.counted++
  // One of two stays.
  for (let n = 0; n < 2; n++) await store.count([{ key: 'u', limit: 9999, windowMs: 99 }], NOW)
  await store.uncount(['u'], NOW)
  const swapped = await store.swap(`w${round}`, undefined, name, NOW + 99, NOW)
  if (swapped.kind === 'stored') got.swapped++
  const taken = await store.take(`t${round}`, NOW)
  if (taken !== undefined) got.taken++
}
await store.revoke(name, NOW + 99)
await store.close()
process.stdout.write(JSON.stringify(got))
