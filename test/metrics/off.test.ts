import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { openDoor } from '../support/door.ts'

const { cache } = createRequire(import.meta.url)
const isLoaded = () => Object.keys(cache).some((path) => path.includes('/prom-client/'))

test('nothing is loaded or wrapped where metrics are off', async (t) => {
  const store = createMemoryStore()
  const env = { STEPGATE_METRICS_LISTEN: 'off' }
  const off = await openDoor({ env, overrides: { store } })
  t.after(off.close)
  assert.equal((await fetch(`http://127.0.0.1:${off.port}/_stepgate/healthz`)).status, 200)
  assert.equal(off.context.store, store)
  assert.equal(off.context.meter, undefined)
  assert.equal(isLoaded(), false)

  const on = await openDoor({ overrides: { store } })
  t.after(on.close)
  assert.notEqual(on.context.store, store)
  assert.equal(isLoaded(), true)
})
