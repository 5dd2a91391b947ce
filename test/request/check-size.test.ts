import assert from 'node:assert/strict'
import test from 'node:test'
import { sizeProblem } from '../../proxy/request/check-size.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'

const { limits: usual } = loadedOk(loadWith({})).config
const limits = { ...usual, headers: 3, headerSize: 30, url: 10, body: 5 }
const HOST = ['Host', 'a']

test('what is within the limits has no problem, up to the last byte', () => {
  assert.equal(sizeProblem('/23456789', [...HOST, 'X', 'y'.repeat(24)], limits), undefined)
  assert.equal(
    sizeProblem('/2345678910'.slice(0, 10), [...HOST, 'a', 'b', 'c', 'd'], limits),
    undefined,
  )
  assert.equal(sizeProblem('/', [...HOST, 'Content-Length', '5'], limits), undefined)
})

test('one header, one byte of them or one of the target more is too much', () => {
  const many = [...HOST, 'a', '', 'b', '', 'c', '']
  assert.deepEqual(sizeProblem('/', many, limits), { status: 431, reason: 'header-count' })
  const large = [...HOST, 'X', 'y'.repeat(25)]
  assert.deepEqual(sizeProblem('/', large, limits), { status: 431, reason: 'header-size' })
  assert.deepEqual(sizeProblem('/2345678901', HOST, limits), { status: 414, reason: 'url-length' })
})

test('a length that is too much is told before a byte of it has come', () => {
  for (const name of ['Content-Length', 'content-length']) {
    const problem = sizeProblem('/', [...HOST, name, '6'], limits)
    assert.deepEqual(problem, { status: 413, reason: 'body-size' })
  }
  const none = { ...limits, body: Number.POSITIVE_INFINITY }
  assert.equal(sizeProblem('/', [...HOST, 'Content-Length', '999999'], none), undefined)
})
