import assert from 'node:assert/strict'
import { it } from 'node:test'
import { StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { storeContract } from './contract.ts'

const NOW = 1_700_000_000_000

storeContract('the memory store', () => createMemoryStore())

it('a full memory store refuses new keys and keeps what is alive', async () => {
  const store = createMemoryStore(4)
  await store.strike('guess', [0], NOW + 100, NOW)
  await store.count([{ key: 'sends', limit: 9, windowMs: 100 }], NOW)
  await store.revoke('session', NOW + 100)
  await store.put('value', 'x', NOW + 100)
  const refused = [
    () => store.put('more', 'x', NOW + 100),
    () => store.swap('more', undefined, 'x', NOW + 100, NOW),
    () => store.strike('more', [0], NOW + 100, NOW),
    () => store.count([{ key: 'more', limit: 9, windowMs: 100 }], NOW),
    () => store.revoke('more', NOW + 100),
    () => store.ping(),
  ]
  for (const call of refused) await assert.rejects(call, StoreUnavailableError)
  assert.equal(await store.get('value', NOW), 'x')
  assert.equal((await store.strikes('guess', NOW)).count, 1)
  assert.equal((await store.revocations(0, NOW)).ids.length, 1)

  await store.put('value', 'y', NOW + 100)
  assert.equal((await store.strike('guess', [0], NOW + 100, NOW)).count, 2)
  await store.count([{ key: 'sends', limit: 9, windowMs: 100 }], NOW)
  await store.revoke('session', NOW + 200)
})

it('a full memory store counts in no window when there is room for one of two', async () => {
  const store = createMemoryStore(2)
  await store.put('value', 'x', NOW + 100)
  const windows = ['a', 'b'].map((key) => ({ key, limit: 1, windowMs: 50 }))
  await assert.rejects(store.count(windows, NOW), StoreUnavailableError)
  assert.deepEqual(await store.count(windows.slice(0, 1), NOW), { kind: 'counted' })
})

it('what has expired makes room in a full memory store, wherever it stands', async () => {
  for (const oldAt of [0, 40, 99]) {
    const store = createMemoryStore(100)
    for (let index = 0; index < 100; index++) {
      await store.put(`${index}`, 'x', index === oldAt ? NOW + 10 : NOW + 1000)
    }
    await assert.rejects(store.put('new', 'x', NOW + 1000), StoreUnavailableError)
    await store.strikes('any', NOW + 10)
    await store.put('new', 'x', NOW + 1000)
    assert.equal(await store.get(`${(oldAt + 1) % 100}`, NOW + 10), 'x')
    await assert.rejects(store.ping(), StoreUnavailableError)
  }
})
