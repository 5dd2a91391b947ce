import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smsSegments } from '../../proxy/sms/segments.ts'

const cases: [string, string, ReturnType<typeof smsSegments>][] = [
  ['nothing is one empty segment', '', { encoding: 'gsm-7', units: 0, segments: 1 }],
  ['160 GSM-7 characters fit one', 'a'.repeat(160), { encoding: 'gsm-7', units: 160, segments: 1 }],
  ['161 need two', 'a'.repeat(161), { encoding: 'gsm-7', units: 161, segments: 2 }],
  ['306 are two of 153', 'a'.repeat(306), { encoding: 'gsm-7', units: 306, segments: 2 }],
  ['307 need three', 'a'.repeat(307), { encoding: 'gsm-7', units: 307, segments: 3 }],
  [
    'extension characters count twice',
    '^{}\\[~]|€\f',
    { encoding: 'gsm-7', units: 20, segments: 1 },
  ],
  ['80 euros fill one', '€'.repeat(80), { encoding: 'gsm-7', units: 160, segments: 1 }],
  [
    'an escape pair is not split',
    `${'a'.repeat(152)}€${'a'.repeat(152)}`,
    { encoding: 'gsm-7', units: 306, segments: 3 },
  ],
  [
    'at, hash and umlauts are GSM-7',
    '@#äöüßÄÖÜñé\n',
    { encoding: 'gsm-7', units: 12, segments: 1 },
  ],
  ['capital cedilla is, small is not', 'ç', { encoding: 'ucs-2', units: 1, segments: 1 }],
  ['a backtick is not GSM-7', '`', { encoding: 'ucs-2', units: 1, segments: 1 }],
  ['70 UCS-2 units fit one', 'ж'.repeat(70), { encoding: 'ucs-2', units: 70, segments: 1 }],
  ['71 need two', 'ж'.repeat(71), { encoding: 'ucs-2', units: 71, segments: 2 }],
  ['134 are two of 67', 'ж'.repeat(134), { encoding: 'ucs-2', units: 134, segments: 2 }],
  ['an emoji is two units', '👍', { encoding: 'ucs-2', units: 2, segments: 1 }],
  [
    'a surrogate pair is not split',
    `${'ж'.repeat(66)}👍${'ж'.repeat(66)}`,
    { encoding: 'ucs-2', units: 134, segments: 3 },
  ],
]

for (const [name, text, expected] of cases) {
  test(name, () => assert.deepEqual(smsSegments(text), expected))
}

test('the GSM 7-bit default alphabet has 127 characters beside the escape, and the extension 10', () => {
  const characters = Array.from({ length: 0xffff }, (_, point) => String.fromCharCode(point))
  const units = characters.map((c) => smsSegments(c)).filter(({ encoding }) => encoding === 'gsm-7')
  assert.equal(units.filter((counted) => counted.units === 1).length, 127)
  assert.equal(units.filter((counted) => counted.units === 2).length, 10)
})
