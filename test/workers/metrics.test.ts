import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type Cli, runCli, startCli } from '../support/cli.ts'
import { scrape } from '../support/exposition.ts'
import { freePort } from '../support/free-port.ts'
import { strayLabels } from '../support/own-metrics.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { until } from '../support/until.ts'

let around: Surroundings
let folder: string
let address: string
before(async () => {
  around = await startSurroundings()
  folder = mkdtempSync(join(tmpdir(), 'stepgate-workers-'))
  address = `127.0.0.1:${await freePort()}`
})
after(async () => {
  await around.close()
  rmSync(folder, { recursive: true })
})

const env = (changes: Readonly<Record<string, string>> = {}) =>
  around.env({
    STEPGATE_WORKERS: '2',
    STEPGATE_STORE: `sqlite:${join(folder, 'stepgate.db')}`,
    STEPGATE_ACCESS_LOG: 'on',
    STEPGATE_METRICS_LISTEN: address,
    ...changes,
  })

const linesOf = (cli: Cli, pattern: RegExp) => [...cli.stdout().matchAll(pattern)]

/** The process ids of all workers so far. */
const pidsOf = (cli: Cli) =>
  linesOf(cli, /"pid":(\d+),.*"msg":"worker is listening"/g).map(([, pid]) => Number(pid))

/** Which worker answered, for each request so far. */
const servedBy = (cli: Cli) =>
  linesOf(cli, /"pid":(\d+),"event":"request"/g).map(([, pid]) => Number(pid))

const requests = async () =>
  (await scrape(address)).value('stepgate_requests_total', { decision: 'own' })
const processes = async () => (await scrape(address)).value('stepgate_processes')

/** Asks until each of these workers has answered, and until all that was asked is in the log. */
async function askUntilServedBy(cli: Cli, pids: readonly number[]): Promise<void> {
  const before = servedBy(cli).length
  let asked = 0
  await until(async () => {
    const answers = Array.from({ length: 10 }, async () => {
      const headers = { connection: 'close' }
      const answer = await fetch(new URL('/_stepgate/healthz', around.url), { headers })
      assert.equal(answer.status, 200)
    })
    await Promise.all(answers)
    asked += 10
    return pids.every((pid) => servedBy(cli).slice(before).includes(pid))
  })
  await until(async () => servedBy(cli).length === before + asked)
}

async function start(t: TestContext): Promise<Cli> {
  const cli = startCli(t, ['start'], { env: env() })
  await cli.until(/"msg":"stepgate is listening"/)
  return cli
}

test('one scrape tells of all workers, and a kill -9 takes nothing back', {
  timeout: 120_000,
}, async (t) => {
  let stopped: number | undefined
  // Before the hook of the start, which waits until nobody holds the output open.
  t.after(() => stopped !== undefined && process.kill(stopped, 'SIGKILL'))
  const cli = await start(t)
  await t.test('the sum is of both', async () => {
    assert.equal(await processes(), 2)
    await askUntilServedBy(cli, pidsOf(cli))
    await until(async () => (await requests()) === servedBy(cli).length)
    const { samples, contentType, value } = await scrape(address)
    assert.deepEqual(strayLabels(samples), [])
    assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(value('stepgate_budget', { channel: 'sms' }), 10_000)
    assert.ok(value('stepgate_store_seconds_count', { store: 'sqlite' }) > 0)
  })

  await t.test(
    'what a worker counted stays when it dies, and its successor adds to it',
    async () => {
      const [lost = 0] = pidsOf(cli)
      const before = await requests()
      process.kill(lost, 'SIGKILL')
      await until(async () => {
        assert.ok((await requests()) >= before)
        return pidsOf(cli).length === 3 && (await processes()) === 2
      })
      assert.equal(await requests(), before)
      await askUntilServedBy(cli, pidsOf(cli).slice(1))
      await until(async () => (await requests()) === servedBy(cli).length)
    },
  )

  await t.test('a worker that is stuck stands as it last did', async () => {
    const [, stuck = 0, other = 0] = pidsOf(cli)
    const before = await requests()
    process.kill(stuck, 'SIGSTOP')
    stopped = stuck
    assert.equal(await requests(), before)
    await askUntilServedBy(cli, [other])
    await until(async () => (await requests()) === servedBy(cli).length)
    process.kill(stuck, 'SIGKILL')
    stopped = undefined
    await until(async () => pidsOf(cli).length === 4 && (await processes()) === 2)
    assert.equal(await requests(), servedBy(cli).length)
  })

  await t.test('they end with it', async () => {
    cli.signal('SIGTERM')
    assert.equal(await cli.ended, 0)
    await assert.rejects(scrape(address))
  })
})

test('a port that is taken, or workers that can not start, end it with one complaint', {
  timeout: 120_000,
}, async (t) => {
  const foreign = join(folder, 'foreign.db')
  writeFileSync(foreign, 'this is no database, whatever its name says')
  const [taken, store] = await Promise.all(
    [
      { STEPGATE_METRICS_LISTEN: around.phoneUrl.host },
      { STEPGATE_STORE: `sqlite:${foreign}` },
    ].map((changes) => runCli(t, ['start'], { env: env(changes) })),
  )
  assert.deepEqual([taken?.code, store?.code], [1, 1])
  const { port } = around.phoneUrl
  assert.match(
    taken?.stderr ?? '',
    new RegExp(
      `^stepgate: port ${port} of 127.0.0.1 is taken .*STEPGATE_METRICS_LISTEN chooses another\\n$`,
    ),
  )
  assert.match(store?.stderr ?? '', /^stepgate: The store's file .*STEPGATE_STORE\n$/)
})
