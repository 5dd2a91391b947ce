import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { listen } from '../proxy/listen.ts'

function server(t: TestContext): Server {
  const made = createServer()
  t.after(() => made.close())
  return made
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'stepgate-listen-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

const taken = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

test('the address comes back as text', async (t) => {
  const address = await listen(server(t), { kind: 'tcp', host: '127.0.0.1', port: 0 })
  assert.match(address, /^127\.0\.0\.1:[1-9]\d+$/)
  const path = join(await folder(t), 'a.sock')
  assert.equal(await listen(server(t), { kind: 'unix', path }), `unix:${path}`)
})

test('a taken port is an error', async (t) => {
  const first = await listen(server(t), { kind: 'tcp', host: '127.0.0.1', port: 0 })
  const port = Number(first.split(':')[1])
  await assert.rejects(listen(server(t), { kind: 'tcp', host: '127.0.0.1', port }), taken)
})

test('the socket of a killed process is replaced, that of a living one is not', async (t) => {
  const path = join(await folder(t), 'a.sock')
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log())`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await assert.rejects(listen(server(t), { kind: 'unix', path }), taken)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(await listen(server(t), { kind: 'unix', path }), `unix:${path}`)
})

test('a file that is no socket stays', async (t) => {
  const path = join(await folder(t), 'file')
  await writeFile(path, 'mine')
  await assert.rejects(listen(server(t), { kind: 'unix', path }), taken)
  assert.equal(await readFile(path, 'utf8'), 'mine')
})
