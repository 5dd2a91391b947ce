import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from '../proxy/remember.ts'

test('a verdict is reached once for a spelling, and long or many names are not hoarded', () => {
  const judged: string[] = []
  const judge = remember((name) => {
    judged.push(name)
    return `verdict on ${name}`
  })
  const timesJudged = (name: string) => judged.filter((other) => other === name).length
  assert.equal(judge('Accept'), 'verdict on Accept')
  assert.equal(judge('Accept'), 'verdict on Accept')
  assert.equal(timesJudged('Accept'), 1)

  const long = 'x'.repeat(65)
  assert.equal(judge(long), judge(long))
  assert.equal(timesJudged(long), 2)
  let longer = 0
  const judgeLonger = remember(() => ++longer, 65)
  assert.equal(judgeLonger(long), judgeLonger(long))

  for (let i = 0; i < 1024; i++) judge(`X-Flood-${i}`)
  assert.equal(judge('Accept'), 'verdict on Accept')
  assert.equal(timesJudged('Accept'), 2)
})
