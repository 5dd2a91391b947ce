import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lastDigits, mayHaveArrived, readCode } from '../../proxy/otp/challenge.ts'

test('a code is read from what people type and paste around it', () => {
  for (const typed of [
    '123456',
    ' 123 456 ',
    '123-456',
    '12 34 56',
    '123\u2011456',
    '\u200e123456\n',
  ]) {
    assert.equal(readCode(typed, 6), '123456', JSON.stringify(typed))
  }
})

test('what is no code of this length is none', () => {
  const typed = ['', '      ', '12345', '1234567', '12345a', '+123456', '123.456', '1e5', '0x1234']
  const other = [
    '١٢٣٤٥٦',
    '１２３４５６',
    '१२३४५६',
    '12345\0',
    '1'.repeat(10_000),
    `123456${' '.repeat(60)}`,
  ]
  for (const input of [...typed, ...other]) {
    assert.equal(readCode(input, 6), undefined, JSON.stringify(input.slice(0, 80)))
  }
})

test('whatever is typed, a code is ASCII digits of the asked length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 4, max: 10 }), (input, length) => {
      const code = readCode(input, length)
      assert.ok(code === undefined || new RegExp(`^[0-9]{${length}}$`).test(code))
    }),
  )
})

test('of a number the last two digits are shown', () => {
  assert.equal(lastDigits('+4915228817386'), '86')
})

test('a message may have arrived unless Twilio said that it took none', () => {
  assert.equal(mayHaveArrived({ kind: 'sending', channel: 'sms', at: 0 }), true)
  assert.equal(mayHaveArrived({ kind: 'sent', id: 'SM1' }), true)
  assert.equal(mayHaveArrived({ kind: 'failed', reason: 'unavailable' }), true)
  assert.equal(mayHaveArrived({ kind: 'failed', reason: 'credentials' }), false)
  assert.equal(mayHaveArrived({ kind: 'failed', reason: 'rate_limited' }), false)
  assert.equal(mayHaveArrived({ kind: 'refused', reason: 'opted_out' }), false)
})
