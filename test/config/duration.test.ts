import assert from 'node:assert/strict'
import test from 'node:test'
import { formatDuration, parseDuration } from '../../proxy/config/duration.ts'

test('a duration is a number and one of four units', () => {
  assert.equal(parseDuration('30s'), 30_000)
  assert.equal(parseDuration('5m'), 300_000)
  assert.equal(parseDuration('8h'), 28_800_000)
  assert.equal(parseDuration('2d'), 172_800_000)
  assert.equal(parseDuration('0s'), 0)
})

test('everything else is no duration', () => {
  for (const text of ['', '5', 'm', '5M', '5 m', '-5m', '1.5h', '5m30s', '5ms', '٥m', '9999999s']) {
    assert.equal(parseDuration(text), undefined, text)
  }
})

test('a duration is written in its largest whole unit and reads back the same', () => {
  const written = ['0s', '45s', '90s', '5m', '90m', '36h', '2d']
  for (const text of written) assert.equal(formatDuration(parseDuration(text) ?? -1), text)
  assert.equal(formatDuration(3_600_000), '1h')
})
