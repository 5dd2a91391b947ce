import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { createSealer, SealTooLongError } from '../../proxy/session/sealed.ts'
import { keyOf } from '../../proxy/store/key-of.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { HOUR, NOW } from './session-sample.ts'

const LIFETIME = 12 * HOUR
const END = NOW + LIFETIME
const groupsOf = (count: number) => Array.from({ length: count }, (_, n) => `group number ${n}`)
const sealer = createSealer(['a secret for the tests of groups'], { maxLength: 200_000 })

function open(store = createMemoryStore()) {
  const counts = { puts: 0, gets: 0 }
  const { put, get } = store
  const counted = {
    ...store,
    put: (...asked: Parameters<typeof put>) => {
      counts.puts++
      return put(...asked)
    },
    get: (...asked: Parameters<typeof get>) => {
      counts.gets++
      return get(...asked)
    },
  }
  return { store, counts, ...createKeptGroups({ store: counted, sealer, lifetime: LIFETIME }) }
}

describe('groups', () => {
  it('that are few stay where they are', async () => {
    const { pack, unpack, counts } = open()
    for (const count of [0, 1, 50]) {
      const whole = { name: 'alice', groups: groupsOf(count) }
      assert.equal(await pack(whole, END, NOW), whole)
      assert.deepEqual(await unpack(whole, NOW), whole)
    }
    assert.deepEqual(counts, { puts: 0, gets: 0 })
  })

  it('that are many are in the store, sealed, once for all who are in them', async () => {
    const one = open()
    const packed = await one.pack({ name: 'alice', groups: groupsOf(300) }, END, NOW)
    assert.ok(JSON.stringify(packed).length < 200)
    const bobs = await one.pack({ name: 'bob', groups: groupsOf(300) }, END, NOW + 1)
    assert.equal(bobs.groupsHash, packed.groupsHash)
    assert.equal(one.counts.puts, 1)
    const stored = await one.store.get(keyOf('groups', packed.groupsHash ?? ''), NOW)
    assert.doesNotMatch(`${stored}`, /group/)

    const other = open(one.store)
    for (let times = 0; times < 3; times++) {
      const whole = { name: 'alice', groups: groupsOf(300) }
      assert.deepEqual(await other.unpack(packed, END), whole)
    }
    assert.equal(other.counts.gets, 1)
    await other.pack({ groups: groupsOf(300) }, END, NOW + HOUR)
    assert.equal(other.counts.puts, 0)
  })

  it('are kept as long as the youngest session with them can live', async () => {
    const one = open()
    const packed = await one.pack({ groups: groupsOf(300) }, END, NOW)
    const later = NOW + 6 * HOUR
    await one.pack({ groups: groupsOf(300) }, later + LIFETIME, later)
    assert.deepEqual(
      (await open(one.store).unpack(packed, later + LIFETIME - 1))?.groups.length,
      300,
    )
  })

  it('that the store has lost, or has under another name, are no groups at all', async () => {
    const { pack, unpack, store } = open()
    const mine = await pack({ groups: groupsOf(300) }, END, NOW)
    const root = await pack({ groups: ['root', ...groupsOf(300)] }, END, NOW)
    const [from, to] = [root, mine].map(({ groupsHash = '' }) => keyOf('groups', groupsHash))
    await store.put(to ?? '', (await store.get(from ?? '', NOW)) ?? '', END)
    assert.equal(await open(store).unpack(mine, NOW), undefined)
    await store.put(to ?? '', 'rubbish', END)
    assert.equal(await open(store).unpack(mine, NOW), undefined)
    await store.remove(to ?? '')
    assert.equal(await open(store).unpack(mine, NOW), undefined)
    assert.equal((await unpack(mine, NOW))?.groups.length, 300)
  })

  it('beyond any measure are refused', async () => {
    const { pack } = open()
    await assert.rejects(pack({ groups: groupsOf(20_000) }, END, NOW), SealTooLongError)
  })
})
