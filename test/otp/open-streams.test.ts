import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOpenStreams } from '../../proxy/otp/open-streams.ts'
import { sampleSession } from '../session/session-sample.ts'

const a = sampleSession({ family: 'a' })
const b = sampleSession({ family: 'b' })
const c = sampleSession({ family: 'c' })

test('a session has room for a few, and gets it back once', () => {
  const streams = createOpenStreams({ perSession: 2, inAll: 10 })
  const [first, second] = [streams.open(a), streams.open(a)]
  assert.ok(first && second)
  assert.equal(streams.open(a), undefined)
  assert.ok(streams.open(b))
  first.done()
  first.done()
  assert.ok(first.signal.aborted)
  assert.equal(second.signal.aborted, false)
  assert.ok(streams.open(a))
  assert.equal(streams.open(a), undefined)
})

test('all sessions together have room for so many', () => {
  const streams = createOpenStreams({ perSession: 2, inAll: 2 })
  const first = streams.open(a)
  assert.ok(first && streams.open(b))
  assert.equal(streams.open(c), undefined)
  first.done()
  assert.ok(streams.open(c))
})

test('closing ends all, and there is room for none', () => {
  const streams = createOpenStreams()
  const first = streams.open(a)
  streams.close()
  assert.ok(first?.signal.aborted)
  assert.equal(streams.open(b), undefined)
})

test('those of a session that is over end, and no others', () => {
  const streams = createOpenStreams({ perSession: 2, inAll: 2 })
  const [first, second] = [streams.open(a), streams.open(b)]
  streams.end(({ family }) => family === 'a')
  assert.ok(first?.signal.aborted)
  assert.equal(second?.signal.aborted, false)
  assert.ok(streams.open(c))
})
