import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findLeaks } from './canaries.ts'

function leaks(t: TestContext, log: string, ...secrets: [string, string][]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-canaries-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, '1.log'), log)
  writeFileSync(
    join(folder, '2.secrets'),
    secrets.map((secret) => `${JSON.stringify(secret)}\n`).join(''),
  )
  return findLeaks(folder)
}

test('a secret in a line is found, and told without the secret', (t) => {
  const log = '{"msg":"fine"}\n{"msg":"sent 314159 to her"}\n{"msg":"fine"}'
  assert.deepEqual(leaks(t, log, ['code', '314159'], ['token', 'not-there']), [
    'a code is in the log line {"msg":"sent … to her"}',
  ])
})

test('at the beginning and at the end of all lines too', (t) => {
  assert.equal(leaks(t, '314159 came', ['code', '314159']).length, 1)
  assert.equal(leaks(t, 'it was 314159', ['code', '314159']).length, 1)
})

test('digits within a longer word are chance, unless they stand alone elsewhere', (t) => {
  const chance = '{"id":"a314159","time":3141592}\n'
  assert.deepEqual(leaks(t, chance, ['code', '314159']), [])
  assert.equal(leaks(t, `${chance}{"code":"314159"}`, ['code', '314159']).length, 1)
})

test('a secret is text of any length, not a pattern', (t) => {
  const long = 'x.y'.repeat(50_000)
  assert.equal(leaks(t, `${long}\n`, ['ID token', long]).length, 1)
  assert.deepEqual(leaks(t, 'abc\n', ['token', 'a.c']), [])
})
