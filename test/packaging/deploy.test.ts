import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Files } from '../../proxy/config/files.ts'
import { loadConfig } from '../../proxy/config/load-config.ts'
import { DEFAULT_HEADERS } from '../../proxy/config/parse-headers.ts'
import { deployVariables } from './deploy-variables.ts'
import { ROOT } from './dockerfile.ts'

const FILES = ['compose.yaml', 'kubernetes.yaml'] as const
const SID = `AC${'0'.repeat(32)}`
const SECRET = 'ZbW0q4tYk1nHs8vXc2rJd6mLp9gFa3uE'

const files = (read: (path: string) => string): Files => ({ read, list: () => [] })

for (const name of FILES) {
  const text = readFileSync(join(ROOT, 'deploy', name), 'utf8')

  test(`${name} sets variables that exist to values that are accepted`, () => {
    const env = deployVariables(name)
    assert.equal(Object.keys(env).length, text.match(/STEPGATE_\w+(?=:|\n)/g)?.length)
    // The one value that only an account can have is refused as it stands.
    const asItStands = loadConfig(
      env,
      files(() => SECRET),
    )
    const problems = asItStands.kind === 'invalid' ? asItStands.problems : []
    assert.deepEqual(
      problems.map(({ variable }) => variable),
      ['STEPGATE_TWILIO_SID'],
    )
    const loaded = loadConfig(
      { ...env, STEPGATE_TWILIO_SID: SID },
      files(() => SECRET),
    )
    assert.equal(loaded.kind, 'ok')
    assert.deepEqual(loaded.kind === 'ok' && loaded.warnings, [])
  })

  test(`${name} takes every secret from a file that it mounts`, () => {
    const env = deployVariables(name)
    const mounted = Object.entries(env).filter(([variable]) => variable.endsWith('_FILE'))
    assert.equal(mounted.length, 4)
    for (const [, path] of mounted) {
      assert.match(path, /^\/run\/secrets\//)
      assert.match(text, new RegExp(`^ +${path.split('/').at(-1)}:`, 'm'))
    }
  })
}

test('each proxy that asks replaces every header that the application is told', () => {
  const names = [...DEFAULT_HEADERS.map(({ name }) => name), 'Cookie']
  for (const file of ['nginx.conf', 'Caddyfile', 'stepgate.lua', 'traefik.yaml', 'envoy.yaml']) {
    const lines = readFileSync(join(ROOT, 'deploy/forward-auth', file), 'utf8').split('\n')
    const written = lines.filter((line) => !/^\s*(?:#|--)/.test(line)).join('\n')
    for (const name of names) assert.match(written, new RegExp(`\\b${name}\\b`, 'i'), file)
  }
})

test('the placeholder of a session secret does not start', () => {
  const env = { ...deployVariables('kubernetes.yaml'), STEPGATE_TWILIO_SID: SID }
  const loaded = loadConfig(
    env,
    files(() => 'replace-me'),
  )
  const problems = loaded.kind === 'invalid' ? loaded.problems : []
  assert.ok(problems.some(({ variable }) => variable.startsWith('STEPGATE_SESSION_SECRET')))
})

test('only stepgate is reached from outside', () => {
  const compose = readFileSync(join(ROOT, 'deploy/compose.yaml'), 'utf8')
  const [, application = ''] = compose.split(/^ {2}application:$/m)
  assert.equal(compose.match(/^ +ports:/gm)?.length, 1)
  assert.doesNotMatch(application, /^ +ports:/m)
  assert.match(application, /^ {4}networks: \[inside\]$/m)
  assert.match(compose, /^ {2}inside:\n {4}internal: true$/m)

  const kubernetes = readFileSync(join(ROOT, 'deploy/kubernetes.yaml'), 'utf8')
  const upstream = deployVariables('kubernetes.yaml').STEPGATE_UPSTREAM ?? ''
  assert.equal(new URL(upstream).hostname, '127.0.0.1')
  assert.match(kubernetes, new RegExp(`-listen=${new URL(upstream).host}`))
  assert.deepEqual(
    [...kubernetes.matchAll(/- name: (\w+)\n +containerPort: (\d+)/g)].map(([, ...port]) => port),
    [
      ['http', '8080'],
      ['metrics', '9464'],
    ],
  )
  assert.deepEqual(kubernetes.match(/targetPort: \w+/g), ['targetPort: http'])
})

test('the image runs with a file system that it can not write', () => {
  const compose = readFileSync(join(ROOT, 'deploy/compose.yaml'), 'utf8')
  assert.match(compose, /^ {4}read_only: true$/m)
  assert.match(compose, /store:\/data/)
  const kubernetes = readFileSync(join(ROOT, 'deploy/kubernetes.yaml'), 'utf8')
  assert.match(kubernetes, /readOnlyRootFilesystem: true/)
  assert.match(kubernetes, /runAsNonRoot: true/)
  assert.match(kubernetes, /mountPath: \/data/)
})

test('every probe of the Pod asks a path that stepgate answers', () => {
  const kubernetes = readFileSync(join(ROOT, 'deploy/kubernetes.yaml'), 'utf8')
  const probes = [...kubernetes.matchAll(/Probe:\n +httpGet: \{ path: (\S+), port: http \}/g)]
  assert.deepEqual(
    probes.map(([, path]) => path),
    Array(3).fill('/_stepgate/healthz'),
  )
})
