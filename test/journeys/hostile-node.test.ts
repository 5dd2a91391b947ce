import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corpusOptions, tryCorpus } from '../hostile/corpus.ts'
import { startNode } from '../hostile/upstream-node.ts'

test('Node sees every request as stepgate judged it, once, with one value of each of our headers', async (t) => {
  const upstream = await startNode()
  t.after(() => upstream.close())
  const { cases, arrived, plainKept } = await tryCorpus(upstream, corpusOptions(20_000))
  t.diagnostic(`${arrived} of ${cases} arrived`)
  assert.equal(plainKept, 0)
  assert.ok(arrived > cases / 4, `only ${arrived} of ${cases} arrived`)
  assert.ok(arrived < (cases * 3) / 4, `${arrived} of ${cases} arrived`)
})
