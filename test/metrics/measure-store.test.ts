import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '../../proxy/metrics/definitions.ts'
import { measureStore } from '../../proxy/metrics/measure-store.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { storeContract } from '../store/contract.ts'
import { keepMeter } from './keep-meter.ts'

const OPERATIONS = METRICS.stepgate_store_seconds.labels.operation

storeContract('a store that is measured', () =>
  measureStore(createMemoryStore(), 'memory', keepMeter().meter),
)

test('without a meter it is the store itself', () => {
  const store = createMemoryStore()
  assert.equal(measureStore(store, 'memory', undefined), store)
})

test('every operation is measured under its name, and none is forgotten', async () => {
  const { meter, lines } = keepMeter()
  const called: string[] = []
  const store = Object.fromEntries(
    [...OPERATIONS, 'close'].map((name) => [name, async () => void called.push(name)]),
  )
  const measured = measureStore(store as unknown as Store, 'sqlite', meter)
  assert.deepEqual(Object.keys(measured).toSorted(), [...OPERATIONS, 'close'].toSorted())
  assert.deepEqual(Object.keys(createMemoryStore()).toSorted(), Object.keys(measured).toSorted())
  for (const operation of OPERATIONS) {
    await (measured[operation] as () => Promise<void>)()
    assert.equal(called.at(-1), operation)
    assert.deepEqual(lines.splice(0), [`stepgate_store_seconds ${operation} sqlite`])
  }
  await measured.close()
  assert.equal(called.at(-1), 'close')
  assert.deepEqual(lines, [])
})

test('a failure is counted, measured, and passed on as it is', async () => {
  const { meter, lines } = keepMeter()
  const failure = new StoreUnavailableError(undefined)
  const store = { ...createMemoryStore(), take: () => Promise.reject(failure) }
  const measured = measureStore(store, 'redis', meter)
  await assert.rejects(measured.take('canary-key', 0), (error) => error === failure)
  assert.deepEqual(lines, [
    'stepgate_store_failures_total redis',
    'stepgate_store_seconds take redis',
  ])
})
