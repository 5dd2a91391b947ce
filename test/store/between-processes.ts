import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import { openAddress } from './open-address.ts'

const NOW = 1_700_000_000_000
const LATER = NOW + 1000

/** What a store that processes share has to do; `newAddress` names a new, empty one. */
export function sharedByProcesses(newAddress: () => string): void {
  it('keeps each operation atomic between four processes', async () => {
    const address = newAddress()
    const store = await openAddress(address)
    await Promise.all(rounds.map((round) => store.put(`t${round}`, 'x', LATER)))
    const names = ['a', 'b', 'c', 'd']
    const hammers = names.map((name) => startHammer(address, name))
    try {
      await Promise.all(hammers.map(({ ready }) => ready))
      const got = await Promise.all(hammers.map(({ finish }) => finish()))
      const sum = (part: string) => got.reduce((total, each) => total + (each[part] ?? 0), 0)
      assert.deepEqual(
        { strikes: sum('strikes'), counted: sum('counted'), swapped: sum('swapped') },
        { strikes: 20 * 5, counted: 500, swapped: 300 },
      )
      assert.equal(sum('taken'), 300)
      assert.deepEqual(await store.counts(['n', 'u'], NOW), [500, 4 * 300])
      const { ids } = await store.revocations(0, NOW)
      assert.deepEqual(ids.map(({ id }) => id).sort(), names)
    } finally {
      for (const { child } of hammers) child.kill()
      await store.close()
    }
  })
}

const rounds = Array.from({ length: 300 }, (_, round) => round)

function startHammer(address: string, name: string) {
  const script = join(import.meta.dirname, 'hammer.ts')
  const child = spawn(process.execPath, [script, address, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return {
    child,
    ready: once(child.stdout, 'data'),
    async finish(): Promise<Record<string, number>> {
      child.stdin.write('g')
      return JSON.parse(await text(child.stdout))
    },
  }
}
