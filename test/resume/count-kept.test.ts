import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countKept, keptWindows } from '../../proxy/resume/count-kept.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'

const KB = 1024

for (const [what, size, maxBody, most] of [
  ['large forms', 33 * KB, 1024 * KB, 4],
  ['the largest forms', 33 * KB, 100 * 1024 * KB, 1],
  ['small forms', 10, 1024 * KB, 50],
] as const) {
  test(`one address has no more than ${most} ${what} kept, and leaves room for others`, async () => {
    const store = createMemoryStore()
    let browsers = 0
    const keep = (address: string) => {
      const owner = { subject: undefined, browser: `browser ${browsers++}`, address }
      return countKept(store, keptWindows(owner, size, maxBody), 0)
    }
    for (const address of ['192.0.2.1', '198.51.100.7', '203.0.113.9']) {
      let kept = 0
      while (kept < 100 && (await keep(address))) kept++
      assert.equal(kept, most)
    }
  })
}
