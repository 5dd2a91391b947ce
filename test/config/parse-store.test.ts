import assert from 'node:assert/strict'
import test from 'node:test'
import { parseStore } from '../../proxy/config/parse-store.ts'

test('a store is a SQLite file or memory', () => {
  assert.deepEqual(parseStore('sqlite:./data/x.db'), {
    kind: 'ok',
    value: { kind: 'sqlite', path: './data/x.db' },
  })
  assert.deepEqual(parseStore('sqlite:/var/x.db'), {
    kind: 'ok',
    value: { kind: 'sqlite', path: '/var/x.db' },
  })
  assert.deepEqual(parseStore('memory:'), { kind: 'ok', value: { kind: 'memory' } })
})

for (const [text, problem] of [
  ['redis://localhost', /no Redis store yet; use sqlite:PATH/],
  ['rediss://localhost', /no Redis store yet/],
  ['memory', /it must be sqlite:/],
  ['sqlite:', /it must be sqlite:/],
  ['sqlite://x.db', /it must be sqlite:/],
  ['sqlite::memory:', /written memory:/],
  ['postgres://x', /it must be sqlite:/],
] as const) {
  test(`the store ${text} is refused`, () => {
    const parsed = parseStore(text)
    assert.match(parsed.kind === 'wrong' ? parsed.problems.join() : '', problem)
  })
}
