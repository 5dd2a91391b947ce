import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodeFiles, unreadable } from '../../proxy/config/files.ts'
import { loadConfig } from '../../proxy/config/load-config.ts'
import { loadedOk, sentences, VALID_ENV } from './valid-env.ts'

function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

test('what cannot be read is named with its path and errno', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), 'x')
  assert.match(
    unreadable(
      '/no\nwhere',
      errorOf(() => nodeFiles.read('/no\nwhere')),
    ),
    /^"\/no\\nwhere" can't be read: there is no such file or folder \(ENOENT\)$/,
  )
  assert.match(
    unreadable(
      folder,
      errorOf(() => nodeFiles.read(folder)),
    ),
    /it is a folder \(EISDIR\)/,
  )
  assert.match(
    unreadable(
      'f',
      errorOf(() => nodeFiles.list(join(folder, 'file'))),
    ),
    /it is not a folder \(ENOTDIR\)/,
  )
  assert.match(unreadable('f', new Error('odd')), /^"f" can't be read: unknown error$/)
  assert.match(unreadable('f', Object.assign(new Error(), { code: 'ELOOP' })), /: ELOOP$/)
})

test('secrets and pages come from the real file system unless told otherwise', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), 'from-a-file\n')
  const { STEPGATE_TWILIO_TOKEN: _, ...env } = VALID_ENV
  const loaded = loadConfig({
    ...env,
    STEPGATE_TWILIO_TOKEN_FILE: join(folder, 'token'),
    STEPGATE_PAGES_DIR: folder,
  })
  assert.equal(loadedOk(loaded).secrets.twilioSecret, 'from-a-file')
  assert.match(
    sentences(loadConfig({ ...VALID_ENV, STEPGATE_PAGES_DIR: join(folder, 'token') })).join(),
    /^STEPGATE_PAGES_DIR is unusable: ".*token" can't be read: it is not a folder \(ENOTDIR\)$/,
  )
})
