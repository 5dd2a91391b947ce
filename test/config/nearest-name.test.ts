import assert from 'node:assert/strict'
import test from 'node:test'
import { editDistance, nearestName } from '../../proxy/config/nearest-name.ts'

test('the distance counts characters to insert, remove or replace', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('', 'abc'), 3)
  assert.equal(editDistance('abc', ''), 3)
  assert.equal(editDistance('same', 'same'), 0)
})

test('the nearest name is the one with the smallest distance', () => {
  assert.equal(nearestName('UPSTRM', ['LISTEN', 'UPSTREAM', 'STORE']), 'UPSTREAM')
  assert.equal(nearestName('AX', ['AB', 'AC']), 'AB')
  assert.equal(nearestName('X', []), undefined)
})
