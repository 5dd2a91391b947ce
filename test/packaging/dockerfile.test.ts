import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { copiedFiles, instructions, ROOT } from './dockerfile.ts'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')
const ignored = read('.dockerignore').trimEnd().split('\n')

test('everything that is copied exists and is let in by .dockerignore, and nothing else is', () => {
  const sources = [...new Set(copiedFiles().map(({ from }) => from))]
  for (const source of sources) assert.ok(existsSync(join(ROOT, source)), source)
  assert.equal(ignored[0], '*')
  assert.deepEqual(ignored.slice(1).sort(), sources.map((source) => `!${source}`).sort())
})

test('both stages have the Node that package.json asks for', () => {
  const images = instructions('FROM').map(([image]) => image)
  const { engines } = JSON.parse(read('package.json'))
  const major = /^>=(\d+)$/.exec(engines.node)?.[1]
  assert.deepEqual(images, [`node:${major}-slim`, `node:${major}-slim`])
})

test('the image has production dependencies only, another user than root, and one volume', () => {
  assert.deepEqual(instructions('RUN')[0]?.join(' '), 'npm ci --omit=dev --omit=optional')
  assert.deepEqual(instructions('USER'), [['node']])
  assert.deepEqual(instructions('VOLUME'), [['/data']])
  // The store's default is ./data/stepgate.db, and STEPGATE_STORE_FILE may take its place.
  assert.match(instructions('RUN')[1]?.join(' ') ?? '', /ln -s \/data data$/)
  assert.doesNotMatch(read('Dockerfile'), /STEPGATE_/)
})

test('the program itself is started and gets the signals, and Node does the health check', () => {
  const json = (name: string) => JSON.parse(instructions(name)[0]?.join(' ') ?? '')
  assert.deepEqual(json('ENTRYPOINT'), ['node', 'proxy/main.ts'])
  assert.deepEqual(json('CMD'), ['start'])
  assert.match(
    instructions('HEALTHCHECK')[0]?.join(' ') ?? '',
    /"node", "proxy\/main\.ts", "healthcheck"/,
  )
  assert.deepEqual(instructions('STOPSIGNAL'), [['SIGTERM']])
})
