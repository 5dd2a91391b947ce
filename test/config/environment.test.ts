import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readEnvironment } from '../../proxy/config/environment.ts'

const ROOT = join(import.meta.dirname, '../..')

test('the environment is a copy of what the process was given', () => {
  const before = process.env.STEPGATE_TEST_COPY
  readEnvironment().STEPGATE_TEST_COPY = 'changed'
  assert.equal(process.env.STEPGATE_TEST_COPY, before)
  assert.equal(readEnvironment().PATH, process.env.PATH)
})

test('one file of the program reads process.env', () => {
  const readers = ['proxy', 'pages'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file))
      .filter((file) => /\bprocess\.env\b(?!`)/.test(readFileSync(join(ROOT, file), 'utf8'))),
  )
  assert.deepEqual(readers, [join('proxy', 'config', 'environment.ts')])
})
