import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createLog } from '../../proxy/log.ts'
import { serveMetrics } from '../../proxy/metrics/serve-metrics.ts'

const at = (port: number, chosen = true) =>
  ({ listen: { kind: 'tcp', host: '127.0.0.1', port }, chosen }) as const

function keepLog() {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  return { log: createLog({ level: 'info', access: true }, { write }), lines }
}

async function serve(text: () => Promise<string>) {
  const { log, lines } = keepLog()
  const exposition = { contentType: 'text/plain; version=9', text }
  const door = (await serveMetrics(at(0), exposition, log)) ?? assert.fail()
  const ask = (path: string, method = 'GET') => fetch(`http://${door.address}${path}`, { method })
  return { ...door, ask, lines }
}

test('GET /metrics gets them, with their content type, and never from a cache', async (t) => {
  const { ask, close } = await serve(async () => 'a 1\n')
  t.after(close)
  for (const path of ['/metrics', '/metrics?name[]=a']) {
    const response = await ask(path)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/plain; version=9')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(await response.text(), 'a 1\n')
  }
  const head = await ask('/metrics', 'HEAD')
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('all else is 404', async (t) => {
  const { ask, close } = await serve(async () => 'a 1\n')
  t.after(close)
  for (const path of ['/', '/metrics/', '/METRICS', '/_stepgate/healthz', '//metrics']) {
    assert.equal((await ask(path)).status, 404, path)
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    assert.equal((await ask('/metrics', method)).status, 404, method)
  }
})

test('there is one reading at a time, whoever asks', async (t) => {
  let readings = 0
  let atOnce = 0
  let most = 0
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { ask, close } = await serve(async () => {
    readings++
    most = Math.max(most, ++atOnce)
    await held
    atOnce--
    return `a ${readings}\n`
  })
  t.after(close)
  const asked = Array.from({ length: 6 }, () => ask('/metrics'))
  // What is answered meanwhile came in after them.
  for (let times = 0; times < 6; times++) await ask('/')
  release()
  for (const answer of asked) assert.match(await (await answer).text(), /^a \d\n$/)
  assert.equal(most, 1)
  const before = readings
  assert.equal(await (await ask('/metrics')).text(), `a ${before + 1}\n`)
})

test('a reading that fails is a 500 without details, and the next may work', async (t) => {
  let failing = true
  const { ask, close, lines } = await serve(async () => {
    if (failing) throw new TypeError('canary-in-an-error')
    return 'a 1\n'
  })
  t.after(close)
  const failed = await ask('/metrics')
  assert.equal(failed.status, 500)
  assert.equal(await failed.text(), 'Metrics can not be read; the log says why\n')
  assert.match(lines.at(-1) ?? '', /"error":"TypeError","msg":"Metrics can not be read"/)
  assert.ok(!lines.join('').includes('canary'))
  failing = false
  assert.equal((await ask('/metrics')).status, 200)
})

test('close ends idle connections too', async () => {
  const { address, close } = await serve(async () => 'a 1\n')
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await close()
  await ended
  await assert.rejects(fetch(`http://${address}/metrics`))
})

test('an address that is taken is named, with what chooses another', async (t) => {
  const { address, close } = await serve(async () => '')
  t.after(close)
  const port = Number(address.split(':')[1])
  const { log } = keepLog()
  const exposition = { contentType: 'text/plain', text: async () => '' }
  await assert.rejects(serveMetrics(at(port), exposition, log), {
    code: 'start_failed',
    message: `port ${port} of 127.0.0.1 is taken (EADDRINUSE): another program listens there; STEPGATE_METRICS_LISTEN chooses another`,
  })
})

test('an address that nobody chose is done without when it is taken, with a warning', async (t) => {
  const { address, close } = await serve(async () => '')
  t.after(close)
  const { log, lines } = keepLog()
  const exposition = { contentType: 'text/plain', text: async () => '' }
  const door = await serveMetrics(at(Number(address.split(':')[1]), false), exposition, log)
  assert.equal(door, undefined)
  assert.match(lines.join(''), /"level":"warn".*is taken.*"msg":"Metrics are not served"/)
})
