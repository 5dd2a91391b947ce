import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { VARIABLE_NAMES, VARIABLES } from '../../proxy/config/variables.ts'
import { variablesTable, withVariablesTable } from '../../proxy/config/variables-table.ts'
import { loadWith } from './valid-env.ts'

test("the README's table is what the schema says (npm run docs brings it up to date)", () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  assert.equal(readme, withVariablesTable(readme))
})

test('every variable has a row of three cells with a description', () => {
  const rows = variablesTable().trimEnd().split('\n').slice(2)
  assert.equal(rows.length, VARIABLE_NAMES.length)
  for (const [index, row] of rows.entries()) {
    assert.ok(row.startsWith(`| \`STEPGATE_${VARIABLE_NAMES[index]}\``), row)
    assert.equal(row.split(/(?<!\\)\|/).length, 5, row)
    assert.match(row, /\.`? \|$/, row)
  }
})

test('rows show what is required, defaults and secrets', () => {
  const table = variablesTable()
  assert.match(table, /^\| `STEPGATE_PUBLIC_URL` \| required \|/m)
  assert.match(table, /^\| `STEPGATE_SESSION_IDLE` \| `1h` \|/m)
  assert.match(table, /^\| `STEPGATE_SESSION_SECRET`, `…_FILE` \| required \|/m)
  assert.match(table, /^\| `STEPGATE_PHONE_SOURCE` \| `ldap` if LDAP is set, else `claims` \|/m)
})

test('only what is between the markers changes', () => {
  const readme = 'a\n<!-- variables:begin -->\nstale row\n<!-- variables:end -->\nb\n'
  const fresh = withVariablesTable(readme)
  assert.ok(fresh.startsWith('a\n<!-- variables:begin -->\n\n| variable |'))
  assert.ok(fresh.endsWith(' |\n\n<!-- variables:end -->\nb\n'))
  assert.ok(!fresh.includes('stale row'))
  assert.equal(withVariablesTable(fresh), fresh)
})

test('a README without markers is an error', () => {
  for (const readme of ['', '<!-- variables:end --><!-- variables:begin -->']) {
    assert.throws(() => withVariablesTable(readme), { code: 'missing_markers' })
  }
})

/** Examples that stand for something only the operator has, so they can't work as they are. */
const PLACEHOLDERS = [
  'SESSION_SECRET',
  'OIDC_CLIENT_KEY',
  'TWILIO_SID',
  'TWILIO_MESSAGING_SERVICE_SID',
  'TWILIO_API_KEY_SID',
]

for (const name of VARIABLE_NAMES.filter((candidate) => !PLACEHOLDERS.includes(candidate))) {
  test(`the example of STEPGATE_${name} is a value that its parser takes`, () => {
    // As a shell would read it.
    const example = VARIABLES[name].example.replace(/^(['"])(.*)\1$/, '$2')
    const loaded = loadWith({ [`STEPGATE_${name}`]: example })
    const problems = loaded.kind === 'invalid' ? loaded.problems : []
    const own = problems.filter(({ variable }) => variable === `STEPGATE_${name}`)
    for (const { problem } of own)
      assert.match(
        problem,
        /^is unusable: .*ENOENT|STEPGATE_PAGES_DIR is not set|nothing in STEPGATE_HEADERS|STEPGATE_STORE is not rediss|nothing in STEPGATE_UPSTREAM is https|names no (balancer|proxy)|there is no key|no rule in STEPGATE_RULES says/,
      )
  })
}

test('the example of a session secret is no secret', () => {
  const loaded = loadWith({ STEPGATE_SESSION_SECRET: VARIABLES.SESSION_SECRET.example })
  assert.equal(loaded.kind, 'invalid')
})
