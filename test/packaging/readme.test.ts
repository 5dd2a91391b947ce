import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import type { Files } from '../../proxy/config/files.ts'
import { loadConfig } from '../../proxy/config/load-config.ts'
import { parseHeaders } from '../../proxy/config/parse-headers.ts'
import { unknownNames } from '../../proxy/config/unknown-names.ts'
import type { Variable } from '../../proxy/config/variable.ts'
import { VARIABLE_NAMES, VARIABLES } from '../../proxy/config/variables.ts'
import { parseRules } from '../../proxy/policy/parse-rules.ts'
import { ROOT } from './dockerfile.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const SECRET = 'ZbW0q4tYk1nHs8vXc2rJd6mLp9gFa3uE'
const files: Files = { read: () => SECRET, list: () => [] }

function block(language: string): string {
  const found = new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\`$`, 'm').exec(readme)?.[1]
  assert.ok(found, `there is a block of ${language}`)
  return found
}

test('the two commands are there as they are', () => {
  assert.match(readme, /^npm ci && npm run demo$/m)
  assert.match(readme, /^npm ci && npm test$/m)
})

test('every variable that it names exists', () => {
  const names = new Set(readme.match(/STEPGATE_\w+/g))
  assert.ok(names.size > 40)
  assert.deepEqual(unknownNames(Object.fromEntries([...names].map((name) => [name, 'x']))), [])
})

test('every event of the log is named once', () => {
  const union = /type AuditEvent =(.*?)\n\n/s.exec(readFileSync(join(ROOT, 'proxy/log.ts'), 'utf8'))
  const events = [...(union?.[1] ?? '').matchAll(/'([a-z_.]+)'/g)].map(([, event = '']) => event)
  assert.ok(events.length > 15)
  const [, section = ''] = /\n## Health and logs\n(.*?)\n## /s.exec(readme) ?? []
  const named = [...section.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, event]) => event)
  assert.deepEqual(named.toSorted(), events.toSorted())
})

test('every limit has its default in docs/limits.md', () => {
  const docs = readFileSync(join(ROOT, 'docs/limits.md'), 'utf8')
  const limits = VARIABLE_NAMES.filter((name) => /_LIMIT_|_BUDGET$/.test(name))
  assert.ok(limits.length >= 12)
  for (const name of limits) {
    const line = docs.split('\n').find((each) => each.includes(`STEPGATE_${name}\``)) ?? ''
    const variable: Variable = VARIABLES[name]
    assert.ok(line.includes(`\`${variable.default}\``), `STEPGATE_${name} ${variable.default}`)
  }
})

test('the file of variables is a configuration, but for the account SID', () => {
  const env = parseEnv(block('ini').replace(/^ +/gm, ''))
  const asItStands = loadConfig(env, files)
  const problems = asItStands.kind === 'invalid' ? asItStands.problems : []
  assert.deepEqual(
    problems.map(({ variable }) => variable),
    ['STEPGATE_TWILIO_SID'],
  )
  const loaded = loadConfig({ ...env, STEPGATE_TWILIO_SID: `AC${'0'.repeat(32)}` }, files)
  assert.equal(loaded.kind, 'ok')
  assert.equal(loaded.kind === 'ok' && loaded.config.rules.length, 2)
})

test('the rules and the headers that it shows are accepted', () => {
  const { rules, problems } = parseRules(block('rules'), 'app.example.com')
  assert.deepEqual(problems, [])
  assert.equal(rules.length, 8)
  const [, headers = ''] = /`(REMOTE_USER=[^`]+)`/.exec(readme.split('## Numbers')[0] ?? '') ?? []
  assert.equal(parseHeaders(headers).kind, 'ok')
})

test('what it links to and shows is there, and pictures are small', () => {
  const targets = [...readme.matchAll(/\]\(([^)#:]+)\)|src="([^"]+)"/g)].map(
    ([, link, picture]) => link ?? picture ?? '',
  )
  assert.ok(targets.length >= 8)
  for (const target of targets) assert.ok(existsSync(join(ROOT, target)), target)
  for (const target of targets.filter((name) => name.endsWith('.png'))) {
    assert.ok(statSync(join(ROOT, target)).size < 150_000, target)
  }
  for (const [, anchor = ''] of readme.matchAll(/\]\(#([^)]+)\)/g)) {
    assert.match(readme, new RegExp(`^## ${anchor}$`, 'im'))
  }
})
