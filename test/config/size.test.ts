import assert from 'node:assert/strict'
import test from 'node:test'
import { formatSize, parseSize } from '../../proxy/config/size.ts'

test('sizes are read in bytes, whatever the case of their unit', () => {
  assert.equal(parseSize('64KB'), 65_536)
  assert.equal(parseSize('10mb'), 10_485_760)
  assert.equal(parseSize('2GB'), 2_147_483_648)
  assert.equal(parseSize('100B'), 100)
})

test('what is no size is not read', () => {
  for (const text of ['', '64', 'KB', '1.5MB', '-1KB', '1TB', '1 KB', '1KiB', '9999999KB']) {
    assert.equal(parseSize(text), undefined, text)
  }
})

test('sizes are written in the largest unit that holds them whole', () => {
  for (const text of ['64KB', '1MB', '10GB', '1025B', '1500KB', '0B']) {
    assert.equal(formatSize(parseSize(text) ?? -1), text)
  }
  assert.equal(formatSize(1024), '1KB')
})
