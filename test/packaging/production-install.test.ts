import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { runCli, startCli } from '../support/cli.ts'
import { createClient } from '../support/cookie-jar.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { copiedFiles, ROOT } from './dockerfile.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'stepgate-image-'))
const root = join(folder, 'app')
let around: Surroundings

before(async () => {
  for (const { from, to } of copiedFiles()) {
    cpSync(join(ROOT, from), join(root, to), { recursive: true })
  }
  for (const name of ['home', 'tmp', 'data']) mkdirSync(join(folder, name))
  await run('npm', ['ci', '--omit=dev', '--omit=optional', '--prefer-offline'], { cwd: root })
  around = await startSurroundings()
})
after(async () => {
  await around?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an installation as in the image starts, works, stops, and writes to its volume only', async (t) => {
  const env = around.env({
    STEPGATE_STORE: `sqlite:${folder}/data/stepgate.db`,
    NODE_ENV: 'production',
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
  })
  const before = everyFile(root)
  const cli = startCli(t, ['start'], { root, env })
  await cli.until(/OpenID provider is known/)
  assert.equal((await fetch(new URL('/_stepgate/healthz', around.url))).status, 200)
  assert.equal((await fetch(new URL('/_stepgate/readyz', around.url))).status, 200)
  assert.equal((await runCli(t, ['healthcheck'], { root, env })).code, 0)

  const client = createClient()
  const start = await client.get(new URL('/', around.url))
  const page = await client.followAll(await signInAtProvider(client, start, 'alice'))
  assert.equal(page.url.pathname, '/_stepgate/otp')
  assert.equal(around.twilio.messages().length, 1)

  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
  assert.deepEqual(everyFile(root), before)
  assert.deepEqual(everyFile(join(folder, 'home')), [])
  assert.deepEqual(everyFile(join(folder, 'tmp')), [])
  assert.ok(readdirSync(join(folder, 'data')).includes('stepgate.db'))
})

test('there is no demo in it, and it says why', async (t) => {
  const { code, stderr } = await runCli(t, ['demo'], { root })
  assert.equal(code, 1)
  assert.match(stderr, /^stepgate: the demo needs a checkout with its development dependencies/)
})

/** Path, size and time of all files below a folder. */
function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { size, mtimeMs, ctimeMs } = statSync(join(folder, name))
      return `${name} ${size} ${mtimeMs} ${ctimeMs}`
    })
    .sort()
}
