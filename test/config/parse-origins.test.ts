import assert from 'node:assert/strict'
import test from 'node:test'
import { parseOrigins } from '../../proxy/config/parse-origins.ts'

test('origins come back as browsers write them, once each', () => {
  assert.deepEqual(
    parseOrigins(
      'https://Portal.example.com:443/, none https://portal.example.com http://localhost:3000',
    ),
    { kind: 'ok', value: ['https://portal.example.com', 'none', 'http://localhost:3000'] },
  )
})

test('what no page of a site could have is named', () => {
  for (const word of [
    '*',
    'null',
    'portal.example.com',
    'https://a.example/x',
    'http://a.example',
  ]) {
    const parsed = parseOrigins(`https://ok.example ${word}`)
    assert.equal(parsed.kind, 'wrong', word)
    assert.ok(
      parsed.kind === 'wrong' && parsed.problems[0]?.startsWith(`"${word}": it must `),
      word,
    )
    assert.ok(parsed.kind === 'wrong' && parsed.problems.length === 1)
  }
})
