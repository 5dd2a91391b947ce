import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startCli } from '../support/cli.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { MB, peakMissing, peakOf, startVolumes, transfer, WAYS } from '../support/volume.ts'

/** `VOLUME_MB=2048 node --test test/journeys/traffic-volume.test.ts` is the whole of it. */
const SIZE = Number(process.env.VOLUME_MB ?? 256) * MB
/** What it may take more than one that has just been started, whatever the size. */
const GROWTH = 64 * MB

let around: Surroundings
before(async () => {
  around = await startSurroundings()
})
after(() => around.close())

test('content of any size passes in memory of a fixed size, both ways, with a length or without', {
  skip: peakMissing,
  timeout: 600_000,
}, async (t) => {
  const application = await startVolumes()
  t.after(application.close)
  const env = around.env({
    STEPGATE_UPSTREAM: application.origin,
    STEPGATE_RULES: 'public /**',
    STEPGATE_ACCESS_LOG: 'off',
  })
  const cli = startCli(t, ['start'], { env })
  await cli.until(/"msg":"stepgate is listening"/)
  const before = peakOf(cli.pid)
  for (const way of WAYS) {
    const began = performance.now()
    assert.equal(await transfer(around.url, way, SIZE), SIZE, way)
    const rate = SIZE / MB / ((performance.now() - began) / 1000)
    const growth = peakOf(cli.pid) - before
    t.diagnostic(`${way}: ${Math.round(rate)} MB/s, ${Math.round(growth / MB)} MB more`)
    assert.ok(growth < GROWTH, `${way}: ${growth / MB} MB more than before`)
  }
})
