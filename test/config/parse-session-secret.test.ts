import assert from 'node:assert/strict'
import test from 'node:test'
import { parseSessionSecret } from '../../proxy/config/parse-session-secret.ts'

const NEW = 'q7Vn2xKf9LbT4wZc8RmY1sHd6GpJ3uEa'
const OLD = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6'

test('several secrets come newest first', () => {
  assert.deepEqual(parseSessionSecret(`${NEW}, ${OLD}`), { kind: 'ok', value: [NEW, OLD] })
})

for (const [what, text, problem] of [
  ['31 characters', NEW.slice(1), /^it has 31 characters, and needs at least 32$/],
  ['a short second one', `${NEW},short`, /^secret 2 of 2 has 5 characters/],
  ['a comma at the end', `${NEW},`, /^secret 2 of 2 has 0 characters/],
  ['one character', 'x'.repeat(40), /repeats itself/],
  ['few characters', 'abacabbcabcaabccabcbaccabacbcabcabcabba', /repeats itself/],
  [
    'a word over and over',
    'correcthorsebatterystaple-correcthorsebatterystaple-',
    /repeats itself/,
  ],
  ['a word cut off', `${'0123456789'.repeat(3)}012`, /repeats itself/],
  ['the same twice', `${NEW},${NEW}`, /^secret 2 of 2 is there twice$/],
] as const) {
  test(`${what} is refused by position, without showing the secret`, () => {
    const parsed = parseSessionSecret(text)
    assert.ok(parsed.kind === 'wrong')
    assert.equal(parsed.problems.length, 1)
    assert.match(parsed.problems[0] ?? '', problem)
    for (const secret of text.split(',')) {
      assert.ok(secret === '' || !parsed.problems.join().includes(secret))
    }
  })
}
