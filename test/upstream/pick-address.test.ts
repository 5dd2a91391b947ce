import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AddressHealth,
  freshHealth,
  markFailed,
  markWell,
  pickAddress,
} from '../../proxy/upstream/pick-address.ts'

type Named = AddressHealth & { readonly name: string }

function addresses(...changes: readonly Partial<AddressHealth>[]): [Named, ...Named[]] {
  const [first, ...others] = changes.map((change, index) => {
    return { ...freshHealth(), ...change, name: 'abcd'[index] ?? '' }
  })
  assert.ok(first)
  return [first, ...others]
}

test('the one with the fewest exchanges under way is next, and equals come in turn', () => {
  const busy = addresses({ pending: 2 }, { pending: 1 }, { pending: 3 })
  for (const turn of [0, 1, 2, 3]) assert.equal(pickAddress(busy, turn, 0).name, 'b')
  const idle = addresses({}, {}, {})
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((turn) => pickAddress(idle, turn, 0).name),
    ['a', 'b', 'c', 'a', 'b'],
  )
})

test('one that failed is passed over until its time has come, however idle', () => {
  const some = addresses({ retryAt: 1000 }, { pending: 9 })
  assert.equal(pickAddress(some, 0, 999).name, 'b')
  assert.equal(pickAddress(some, 0, 1000).name, 'a')
})

test('if all are passed over all are tried again', () => {
  const all = addresses({ retryAt: 1000, pending: 1 }, { retryAt: 5000 })
  assert.equal(pickAddress(all, 0, 0).name, 'b')
})

test('a second attempt goes elsewhere, even to one that is passed over, if there is an elsewhere', () => {
  const two = addresses({}, { retryAt: 1000, pending: 5 })
  assert.equal(pickAddress(two, 0, 0, two[0]).name, 'b')
  const one = addresses({})
  assert.equal(pickAddress(one, 0, 0, one[0]).name, 'a')
})

test('the wait doubles up to a minute, and one answer ends it', () => {
  const [address] = addresses({})
  const waits: unknown[] = []
  let now = 0
  for (let count = 0; count < 9; count++) {
    waits.push(markFailed(address, now))
    // Many that fail at once are one failure.
    assert.equal(markFailed(address, now + 1), undefined)
    now = address.retryAt
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000),
  )
  assert.equal(markWell(address), true)
  assert.equal(markWell(address), false)
  assert.equal(address.retryAt, 0)
  assert.equal(markFailed(address, now), 1000)
})
