import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessage } from '../../demo/phone/read-message.ts'

const cases: [string, string, ReturnType<typeof readMessage>][] = [
  [
    'takes the code of the last line, and the host it is bound to',
    'Acme 2026 code 123456.\n@a.example #123456',
    { text: 'Acme 2026 code 123456.', code: '123456', host: 'a.example' },
  ],
  ['takes a group of digits otherwise', 'Code: 4711', { text: 'Code: 4711', code: '4711' }],
  [
    'takes no part of a longer number for a code',
    'Call 49301234567890',
    { text: 'Call 49301234567890' },
  ],
  ['takes no host from the middle', '@a.example #1\nHello', { text: '@a.example #1\nHello' }],
]
for (const [name, body, expected] of cases) {
  test(name, () => assert.deepEqual(readMessage(body), expected))
}

test('the digits that are read out in a call are its code', () => {
  const body =
    'This is Studio 54. Your code is: 4, 9, 0, 2, 1, 7. Once more: 4, 9, 0, 2, 1, 7. Bye.'
  assert.deepEqual(readMessage(body), { text: body, code: '490217' })
})
