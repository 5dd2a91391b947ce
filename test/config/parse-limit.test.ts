import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLimit, parseLimit, parseShare } from '../../proxy/config/parse-limit.ts'

function problems(text: string): readonly string[] {
  const parsed = parseLimit(text)
  return parsed.kind === 'wrong' ? parsed.problems : []
}

test('limits are read in any order and written sorted by length', () => {
  const parsed = parseLimit(' 100/1d,10/15m  400/7d')
  assert.deepEqual(parsed, {
    kind: 'ok',
    value: [
      { limit: 10, windowMs: 900_000 },
      { limit: 100, windowMs: 86_400_000 },
      { limit: 400, windowMs: 604_800_000 },
    ],
  })
  assert.equal(parsed.kind === 'ok' && formatLimit(parsed.value), '10/15m,100/1d,400/7d')
})

test('whatever is no limit is refused, each with its reason', () => {
  for (const text of [
    'off',
    '10',
    '10/',
    '/15m',
    '10/15',
    '10/15w',
    '-1/15m',
    '1e3/1d',
    '10/15m/x',
  ]) {
    assert.match(problems(text)[0] ?? '', /is not of the form 10\/15m/, text)
  }
  for (const text of ['', ' , '])
    assert.deepEqual(problems(text), ['it holds no limit, as in 10/15m'])
  assert.deepEqual(problems('0/15m'), ['"0/15m" must allow 1 to 1000000'])
  assert.deepEqual(problems('1000001/15m'), ['"1000001/15m" must allow 1 to 1000000'])
  assert.deepEqual(problems('10/59s'), ['"10/59s" must be for 1m to 30d'])
  assert.deepEqual(problems('10/31d'), ['"10/31d" must be for 1m to 30d'])
  assert.deepEqual(problems('1/1m,2/2m,3/3m,4/4m,5/5m,6/6m'), ['it has more than 5 limits'])
  assert.equal(problems('x,y').length, 2)
})

test('a limit that a longer window makes pointless is refused', () => {
  assert.deepEqual(problems('10/15m,10/1d'), ['10/15m does nothing beside 10/1d'])
  assert.deepEqual(problems('9/1d,10/15m'), ['10/15m does nothing beside 9/1d'])
  assert.deepEqual(problems('10/15m,20/15m'), ['20/15m does nothing beside 10/15m'])
  assert.deepEqual(problems('5/15m,9/1h,7/1d'), ['9/1h does nothing beside 7/1d'])
})

test('a share is a whole percentage', () => {
  assert.deepEqual(parseShare('50%'), { kind: 'ok', value: 0.5 })
  assert.deepEqual(parseShare('0%'), { kind: 'ok', value: 0 })
  for (const text of ['50', '100%', '-1%', '0.5', '5.5%', '%', '']) {
    assert.equal(parseShare(text).kind, 'wrong', text)
  }
})
