import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Contents, watchFiles } from '../../proxy/listener/watch-files.ts'
import { until } from '../support/until.ts'

const EVERY = 5

async function folderOf(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'stepgate-watch-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

function watch(t: TestContext, paths: readonly string[], known: readonly string[]) {
  const said: Contents[] = []
  const end = watchFiles(paths, known, EVERY, (contents) => said.push(contents))
  t.after(end)
  // A file that is about to be written may be seen empty, or not at all.
  const last = (expected: Contents) => until(async () => isDeepStrictEqual(said.at(-1), expected))
  return { said, last, end }
}

const read = (...texts: string[]): Contents => ({ kind: 'read', texts })

test('a file that is written in place', async (t) => {
  const path = join(await folderOf(t), 'a')
  await writeFile(path, 'one')
  const { last } = watch(t, [path], ['one'])
  await writeFile(path, 'two')
  await last(read('two'))
  await writeFile(path, 'three')
  await last(read('three'))
})

test('a file that another is renamed over', async (t) => {
  const folder = await folderOf(t)
  const path = join(folder, 'a')
  await writeFile(path, 'one')
  const { last } = watch(t, [path], ['one'])
  await writeFile(join(folder, 'new'), 'two')
  await rename(join(folder, 'new'), path)
  await last(read('two'))
})

test('a folder that a symlink is turned to, as Kubernetes does with a secret', async (t) => {
  const folder = await folderOf(t)
  for (const [name, text] of [
    ['..1', 'one'],
    ['..2', 'two'],
  ] as const) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'tls.crt'), `${text} cert`)
    await writeFile(join(folder, name, 'tls.key'), `${text} key`)
  }
  await symlink('..1', join(folder, '..data'))
  const paths = ['tls.crt', 'tls.key'].map((name) => join(folder, name))
  await symlink('..data/tls.crt', paths[0] ?? '')
  await symlink('..data/tls.key', paths[1] ?? '')
  const { last } = watch(t, paths, ['one cert', 'one key'])
  await symlink('..2', join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await last(read('two cert', 'two key'))
})

test('a symlink that is turned to another file, as certbot does', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'fullchain1.pem'), 'one')
  await writeFile(join(folder, 'fullchain2.pem'), 'two')
  const path = join(folder, 'fullchain.pem')
  await symlink('fullchain1.pem', path)
  const { last } = watch(t, [path], ['one'])
  await unlink(path)
  await symlink('fullchain2.pem', path)
  await last(read('two'))
})

test('a file that is gone is told once, and its return too', async (t) => {
  const path = join(await folderOf(t), 'a')
  await writeFile(path, 'one')
  const { last, said } = watch(t, [path], ['one'])
  await unlink(path)
  await until(async () => said.length > 0)
  const [gone] = said
  assert.ok(gone?.kind === 'unreadable' && /ENOENT/.test(gone.problem))
  await writeFile(path, 'one')
  await last(read('one'))
  assert.equal(said.filter(({ kind }) => kind === 'unreadable').length, 1)
})

test('an end is an end', async (t) => {
  const path = join(await folderOf(t), 'a')
  await writeFile(path, 'one')
  const first = watch(t, [path], ['one'])
  const second = watch(t, [path], ['one'])
  first.end()
  await writeFile(path, 'two')
  await second.last(read('two'))
  assert.deepEqual(first.said, [])
})

const UUID = '/proc/sys/kernel/random/uuid'

test('what never stands still is never told', { skip: !existsSync(UUID) }, async (t) => {
  const path = join(await folderOf(t), 'a')
  await writeFile(path, '0')
  const restless = watch(t, [UUID], [''])
  const other = watch(t, [path], ['0'])
  for (const text of ['1', '2', '3']) {
    await writeFile(path, text)
    await other.last(read(text))
  }
  assert.deepEqual(restless.said, [])
})
