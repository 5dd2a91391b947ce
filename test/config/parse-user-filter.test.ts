import assert from 'node:assert/strict'
import test from 'node:test'
import { parseUserFilter } from '../../proxy/config/parse-user-filter.ts'

test('a filter is one balanced filter with a placeholder of the person', () => {
  for (const text of [
    '(uid={username})',
    '(&(objectClass=person)(|(mail={email})(inum={sub})))',
    '(&(cn=a\\28b\\29)(uid={username}))',
  ]) {
    assert.deepEqual(parseUserFilter(text), { kind: 'ok', value: text })
  }
})

for (const [text, problem] of [
  ['uid={username}', /balanced/],
  ['(uid={username}', /balanced/],
  ['(uid={username}))', /balanced/],
  ['(uid={username})(a=b)', /balanced/],
  [')uid={username}(', /balanced/],
  ['x(uid={username})', /balanced/],
  ['', /balanced/],
  ['(objectClass=person)', /must hold \{username\} or \{sub\} or \{email\}/],
  ['(uid={user})', /only \{username\}, \{sub\}, \{email\}/],
  ['(&(uid={username})(x={password}))', /only/],
  ['(uid={username)', /only/],
  ['(uid=username}{sub})', /only/],
] as const) {
  test(`the filter ${JSON.stringify(text)} is refused`, () => {
    const parsed = parseUserFilter(text)
    assert.match(parsed.kind === 'wrong' ? parsed.problems.join() : '', problem)
  })
}
