import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBag, type Place } from '../../proxy/listener/bag.ts'

test('a bag holds what was added until it is taken out, in whatever order', () => {
  const bag = createBag<string>()
  const places = ['a', 'b', 'c', 'd', 'e'].map((item) => bag.add(item))
  const left = (...indexes: number[]) => {
    for (const index of indexes) bag.remove(places[index] as Place<string>)
    return [...bag].sort().join('')
  }
  assert.equal(left(), 'abcde')
  assert.equal(left(1), 'acde')
  assert.equal(left(4), 'acd')
  assert.equal(left(0, 2), 'd')
  assert.equal(left(3), '')
  bag.add('f')
  assert.equal(left(), 'f')
})

test('what is taken out twice takes nothing else with it', () => {
  const bag = createBag<string>()
  const place = bag.add('a')
  bag.add('b')
  bag.add('c')
  bag.remove(place)
  bag.remove(place)
  assert.deepEqual([...bag].sort(), ['b', 'c'])
})

test('all are visited that were there, even if the visit takes them out', () => {
  const bag = createBag<number>()
  const places = [0, 1, 2, 3].map((item) => bag.add(item))
  const visited: number[] = []
  for (const item of bag) {
    visited.push(item)
    bag.remove(places[item] as Place<number>)
  }
  assert.deepEqual(visited, [0, 1, 2, 3])
  assert.deepEqual([...bag], [])
})
