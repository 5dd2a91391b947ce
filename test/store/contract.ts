import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createModel, type Model, operations } from './model.ts'

const NOW = 1_700_000_000_000
const FOREVER = Number.POSITIVE_INFINITY

/** What every adapter has to do. `open` makes a new, empty store. */
export function storeContract(name: string, open: () => Store): void {
  describe(name, () => {
    let store: Store
    before(() => {
      store = open()
    })
    after(() => store.close())

    describe('values', () => {
      it('gives back what was put, and the last of several', async () => {
        await store.put('v', 'one', NOW + 1)
        await store.put('v', 'zwei · 二 · "\0"', NOW + 1)
        assert.equal(await store.get('v', NOW), 'zwei · 二 · "\0"')
        assert.equal(await store.get('other', NOW), undefined)
      })

      it('keeps the empty text apart from nothing', async () => {
        await store.put('empty', '', NOW + 1)
        assert.equal(await store.get('empty', NOW), '')
        assert.equal(await store.take('empty', NOW), '')
        assert.equal(await store.take('empty', NOW), undefined)
      })

      it('holds a value until the millisecond before it expires', async () => {
        await store.put('brief', 'x', NOW + 1000)
        assert.equal(await store.get('brief', NOW + 999), 'x')
        assert.equal(await store.get('brief', NOW + 1000), undefined)
        assert.equal(await store.take('brief', NOW + 1000), undefined)
      })

      it('holds a value that never expires', async () => {
        // A store of its own: what others hold may be purged at so late a time.
        const fresh = open()
        await fresh.put('always', 'x', FOREVER)
        await fresh.strike('other', [0], FOREVER, Number.MAX_SAFE_INTEGER)
        assert.equal(await fresh.get('always', Number.MAX_SAFE_INTEGER), 'x')
        await fresh.close()
      })

      it('gives a value that expired to nobody who takes it', async () => {
        await store.put('late', 'x', NOW + 5)
        assert.equal(await store.take('late', NOW + 5), undefined)
      })

      it('gives a taken value to one of 200', async () => {
        await store.put('once', 'x', NOW + 1)
        const taken = await times(200, () => store.take('once', NOW))
        assert.deepEqual(
          taken.filter((value) => value !== undefined),
          ['x'],
        )
      })

      it('removes a value, and nothing when there is none', async () => {
        await store.put('gone', 'x', NOW + 1)
        await store.remove('gone')
        await store.remove('gone')
        assert.equal(await store.get('gone', NOW), undefined)
      })
    })

    describe('swap', () => {
      it('stores when the present value is the expected one', async () => {
        assert.deepEqual(await store.swap('s', undefined, 'a', NOW + 9, NOW), { kind: 'stored' })
        assert.deepEqual(await store.swap('s', 'a', 'b', NOW + 9, NOW), { kind: 'stored' })
        assert.equal(await store.get('s', NOW + 8), 'b')
        assert.equal(await store.get('s', NOW + 9), undefined)
      })

      it('tells the present value on conflict and leaves it', async () => {
        await store.put('held', 'a', NOW + 9)
        for (const expected of [undefined, 'b']) {
          assert.deepEqual(await store.swap('held', expected, 'c', NOW + 9, NOW), {
            kind: 'conflict',
            value: 'a',
          })
        }
        assert.equal(await store.get('held', NOW), 'a')
      })

      it('takes an expired value for none', async () => {
        await store.put('old', 'a', NOW + 1)
        assert.deepEqual(await store.swap('old', 'a', 'b', NOW + 9, NOW + 1), {
          kind: 'conflict',
          value: undefined,
        })
        assert.deepEqual(await store.swap('old', undefined, 'b', NOW + 9, NOW + 1), {
          kind: 'stored',
        })
      })

      it('has one winner of 200', async () => {
        const swapped = await times(200, (index) =>
          store.swap('race', undefined, `${index}`, NOW + 1, NOW),
        )
        const winners = swapped.flatMap(({ kind }, index) => (kind === 'stored' ? [index] : []))
        assert.equal(winners.length, 1)
        assert.equal(await store.get('race', NOW), `${winners[0]}`)
      })
    })

    describe('strikes', () => {
      it('waits as long as the number of strikes says, the last wait again and again', async () => {
        const waits = [0, 1000, 2000]
        const strike = (now: number) => store.strike('w', waits, NOW + 60_000, now)
        assert.deepEqual(await strike(NOW), { kind: 'counted', count: 1, until: 0 })
        assert.deepEqual(await strike(NOW), { kind: 'counted', count: 2, until: NOW + 1000 })
        assert.deepEqual(await strike(NOW + 999), { kind: 'waiting', count: 2, until: NOW + 1000 })
        assert.deepEqual(await strike(NOW + 1000), {
          kind: 'counted',
          count: 3,
          until: NOW + 3000,
        })
        assert.deepEqual(await strike(NOW + 3000), {
          kind: 'counted',
          count: 4,
          until: NOW + 5000,
        })
      })

      it('reads without counting', async () => {
        assert.deepEqual(await store.strikes('r', NOW), { kind: 'counted', count: 0, until: 0 })
        await store.strike('r', [500], NOW + 9000, NOW)
        for (let reads = 0; reads < 3; reads++) {
          assert.deepEqual(await store.strikes('r', NOW + 499), {
            kind: 'waiting',
            count: 1,
            until: NOW + 500,
          })
        }
        assert.deepEqual(await store.strikes('r', NOW + 500), {
          kind: 'counted',
          count: 1,
          until: 0,
        })
      })

      it('never waits without waits', async () => {
        await store.strike('free', [], NOW + 9, NOW)
        assert.deepEqual(await store.strike('free', [], NOW + 9, NOW), {
          kind: 'counted',
          count: 2,
          until: 0,
        })
      })

      it('counts five of 200 at once when the fifth locks', async () => {
        const waits = [0, 0, 0, 0, FOREVER]
        const struck = await times(200, () => store.strike('guess', waits, NOW + 10, NOW))
        const counted = struck.filter(({ kind }) => kind === 'counted').map(({ count }) => count)
        assert.deepEqual(counted.sort(), [1, 2, 3, 4, 5])
        const locked = { kind: 'waiting', count: 5, until: FOREVER }
        assert.deepEqual(await store.strikes('guess', NOW + 9), locked)
        assert.deepEqual(await store.strike('guess', waits, NOW + 99, NOW + 9), locked)
      })

      it('forgets all strikes when the record expires, a wait for ever too', async () => {
        await store.strike('lock', [FOREVER], NOW + 10, NOW)
        assert.deepEqual(await store.strikes('lock', NOW + 10), {
          kind: 'counted',
          count: 0,
          until: 0,
        })
        assert.deepEqual(await store.strike('lock', [0], NOW + 99, NOW + 10), {
          kind: 'counted',
          count: 1,
          until: 0,
        })
      })

      it('prolongs the record with each strike and never shortens it', async () => {
        await store.strike('long', [0], NOW + 10, NOW)
        await store.strike('long', [0], NOW + 20, NOW)
        await store.strike('long', [0], NOW + 5, NOW)
        assert.equal((await store.strikes('long', NOW + 19)).count, 3)
        assert.equal((await store.strikes('long', NOW + 20)).count, 0)
      })

      it('prolongs nothing while a wait is running', async () => {
        await store.strike('held', [FOREVER], NOW + 10, NOW)
        await store.strike('held', [FOREVER], NOW + 999, NOW + 5)
        assert.equal((await store.strikes('held', NOW + 10)).count, 0)
      })

      it('says that a wait ends with its record at the latest', async () => {
        assert.deepEqual(await store.strike('short', [5000], NOW + 10, NOW), {
          kind: 'counted',
          count: 1,
          until: NOW + 10,
        })
      })

      it('ends a wait and keeps its count: the next one is as long as it would have been', async () => {
        const strike = (now: number) => store.strike('ended', [1000, 2000], NOW + 9000, now)
        await strike(NOW)
        await store.waive('ended', 1, 1, NOW + 1)
        const none = { kind: 'counted', count: 1, until: 0 }
        assert.deepEqual(await store.strikes('ended', NOW + 1), none)
        assert.deepEqual(await strike(NOW + 1), { kind: 'counted', count: 2, until: NOW + 2001 })
        assert.equal((await store.strikes('ended', NOW + 8999)).count, 2)
        assert.equal((await store.strikes('ended', NOW + 9000)).count, 0)
      })

      it('takes a strike back with its wait, over or not: the next one is that strike again', async () => {
        const strike = (now: number) => store.strike('back', [1000, 2000], NOW + 9000, now)
        await strike(NOW)
        await strike(NOW + 1000)
        await store.waive('back', 2, 1, NOW + 1001)
        const again = { kind: 'counted', count: 2, until: NOW + 3001 }
        assert.deepEqual(await strike(NOW + 1001), again)
        await store.waive('back', 2, 1, NOW + 5000)
        assert.equal((await store.strikes('back', NOW + 5000)).count, 1)
      })

      it('ends no other wait than that of the strike that is named', async () => {
        await store.strike('named', [0, FOREVER], NOW + 9, NOW)
        await store.strike('named', [0, FOREVER], NOW + 9, NOW)
        for (const nth of [0, 1, 3]) await store.waive('named', nth, nth, NOW)
        const held = { kind: 'waiting', count: 2, until: FOREVER }
        assert.deepEqual(await store.strikes('named', NOW), held)
        await store.waive('named', 2, 2, NOW)
        assert.equal((await store.strikes('named', NOW)).kind, 'counted')
        await store.waive('nobody', 0, 1, NOW)
        assert.equal((await store.strikes('nobody', NOW)).count, 0)
      })

      it('of 200 at once that end the same wait and strike again, one is counted', async () => {
        await store.strike('race-end', [1000], NOW + 9000, NOW)
        const struck = await times(200, async () => {
          await store.waive('race-end', 1, 1, NOW)
          return store.strike('race-end', [1000], NOW + 9000, NOW)
        })
        assert.equal(struck.filter(({ kind }) => kind === 'counted').length, 1)
      })

      it('is cleared by remove', async () => {
        await store.strike('clear', [FOREVER], FOREVER, NOW)
        await store.remove('clear')
        assert.equal((await store.strike('clear', [0], FOREVER, NOW)).count, 1)
      })
    })

    describe('windows', () => {
      const counted = { kind: 'counted' }

      it('counts up to the limit and starts again when the window ends', async () => {
        const window = [{ key: 'minute', limit: 2, windowMs: 60_000 }]
        assert.deepEqual(await store.count(window, NOW), counted)
        assert.deepEqual(await store.count(window, NOW + 59_999), counted)
        assert.deepEqual(await store.count(window, NOW + 59_999), {
          kind: 'full',
          full: 0,
          retryAt: NOW + 60_000,
        })
        assert.deepEqual(await store.count(window, NOW + 60_000), counted)
      })

      it('counts in all windows or in none', async () => {
        const wide = { key: 'wide', limit: 3, windowMs: 1000 }
        const narrow = { key: 'narrow', limit: 1, windowMs: 500 }
        assert.deepEqual(await store.count([wide, narrow], NOW), counted)
        for (let tries = 0; tries < 5; tries++) {
          assert.deepEqual(await store.count([wide, narrow], NOW), {
            kind: 'full',
            full: 1,
            retryAt: NOW + 500,
          })
        }
        assert.deepEqual(await store.count([wide], NOW), counted)
        assert.deepEqual(await store.count([wide], NOW), counted)
        assert.equal((await store.count([wide], NOW)).kind, 'full')
      })

      it('names the first window that is full', async () => {
        const windows = ['a', 'b', 'c'].map((key) => ({ key, limit: 1, windowMs: 1000 }))
        await store.count(windows.slice(1), NOW)
        assert.deepEqual(await store.count(windows, NOW), {
          kind: 'full',
          full: 1,
          retryAt: NOW + 1000,
        })
      })

      it('is full from the start with a limit of 0, and counts no window as counted', async () => {
        assert.deepEqual(await store.count([{ key: 'none', limit: 0, windowMs: 100 }], NOW), {
          kind: 'full',
          full: 0,
          retryAt: NOW + 100,
        })
        assert.deepEqual(await store.count([], NOW), counted)
      })

      it('counts exactly the limit of 200 at once', async () => {
        const windows = [
          { key: 'crowd', limit: 7, windowMs: 1000 },
          { key: 'crowd-day', limit: 50, windowMs: 9000 },
        ]
        const results = await times(200, () => store.count(windows, NOW))
        assert.equal(results.filter(({ kind }) => kind === 'counted').length, 7)
        const left = await times(200, () => store.count(windows.slice(1), NOW))
        assert.equal(left.filter(({ kind }) => kind === 'counted').length, 43)
      })

      it('is cleared by remove', async () => {
        const window = [{ key: 'cleared', limit: 1, windowMs: 1000 }]
        await store.count(window, NOW)
        await store.remove('cleared')
        assert.deepEqual(await store.count(window, NOW), counted)
      })
    })

    describe('windows taken back', () => {
      const minute = (limit: number) => [{ key: 'minute', limit, windowMs: 60_000 }]
      const fresh = async (use: (store: Store) => Promise<void>) => {
        const own = open()
        await use(own)
        await own.close()
      }

      it('tell each count as it stands, and count nothing by it', () =>
        fresh(async (own) => {
          await own.count([...minute(9), { key: 'hour', limit: 9, windowMs: 99_000 }], NOW)
          await own.count(minute(9), NOW)
          const keys = ['minute', 'none', 'hour', 'minute']
          for (let reads = 0; reads < 3; reads++) {
            assert.deepEqual([...(await own.counts(keys, NOW + 59_999))], [2, 0, 1, 2])
          }
          assert.deepEqual([...(await own.counts(keys, NOW + 60_000))], [0, 0, 1, 0])
          assert.deepEqual([...(await own.counts([], NOW))], [])
        }))

      it('make room for as many as were taken back, until the same end', () =>
        fresh(async (own) => {
          for (let n = 0; n < 3; n++) await own.count(minute(3), NOW)
          await own.uncount(['minute', 'minute'], NOW + 10_000)
          for (let n = 0; n < 2; n++) {
            assert.deepEqual(await own.count(minute(3), NOW + 20_000), { kind: 'counted' })
          }
          const full = { kind: 'full', full: 0, retryAt: NOW + 60_000 }
          assert.deepEqual(await own.count(minute(3), NOW + 20_000), full)
        }))

      it('stop at 0', () =>
        fresh(async (own) => {
          await own.count(minute(1), NOW)
          await own.uncount(['minute', 'minute', 'minute'], NOW)
          await own.uncount(['minute'], NOW)
          assert.deepEqual(await own.count(minute(1), NOW), { kind: 'counted' })
          assert.equal((await own.count(minute(1), NOW)).kind, 'full')
        }))

      it('begin no window and bring none back', () =>
        fresh(async (own) => {
          await own.uncount(['minute', 'never'], NOW)
          await own.count(minute(2), NOW + 5000)
          await own.uncount(['minute'], NOW + 65_000)
          assert.deepEqual([...(await own.counts(['minute', 'never'], NOW + 64_999))], [1, 0])
          await own.count(minute(1), NOW + 65_000)
          const full = { kind: 'full', full: 0, retryAt: NOW + 125_000 }
          assert.deepEqual(await own.count(minute(1), NOW + 65_000), full)
        }))

      it('lose none of 200 at once', () =>
        fresh(async (own) => {
          await times(200, () => own.count(minute(1000), NOW))
          await times(150, () => own.uncount(['minute'], NOW))
          assert.deepEqual([...(await own.counts(['minute'], NOW))], [50])
        }))
    })

    it('keeps values, strikes and windows of one key apart', async () => {
      await store.put('same', 'x', NOW + 9)
      await store.strike('same', [0], NOW + 9, NOW)
      await store.count([{ key: 'same', limit: 9, windowMs: 9 }], NOW)
      assert.equal(await store.take('same', NOW), 'x')
      assert.equal((await store.strikes('same', NOW)).count, 1)
    })

    describe('revocations', () => {
      it('come in order, and after a cursor only the new ones', async () => {
        const fresh = open()
        await fresh.revoke('one', NOW + 10)
        await fresh.revoke('two', FOREVER)
        const first = await fresh.revocations(0, NOW)
        assert.deepEqual(first.ids, [
          { id: 'one', expiresAt: NOW + 10 },
          { id: 'two', expiresAt: FOREVER },
        ])
        assert.deepEqual(await fresh.revocations(first.cursor, NOW), {
          ids: [],
          cursor: first.cursor,
          lost: false,
        })
        await fresh.revoke('three', NOW + 20)
        const second = await fresh.revocations(first.cursor, NOW)
        assert.deepEqual([first.lost, second.lost], [false, false])
        assert.deepEqual(second.ids, [{ id: 'three', expiresAt: NOW + 20 }])
        assert.deepEqual((await fresh.revocations(second.cursor, NOW)).ids, [])
        assert.deepEqual(
          (await fresh.revocations(0, NOW + 10)).ids.map(({ id }) => id),
          ['two', 'three'],
        )
        await fresh.close()
      })

      it('tell a repeated one once, and again only when it is prolonged', async () => {
        const fresh = open()
        await fresh.revoke('twice', NOW + 10)
        const first = await fresh.revocations(0, NOW)
        await fresh.revoke('twice', NOW + 10)
        await fresh.revoke('twice', NOW + 5)
        assert.deepEqual((await fresh.revocations(first.cursor, NOW)).ids, [])
        await fresh.revoke('twice', NOW + 30)
        const prolonged = [{ id: 'twice', expiresAt: NOW + 30 }]
        assert.deepEqual((await fresh.revocations(first.cursor, NOW)).ids, prolonged)
        assert.deepEqual((await fresh.revocations(0, NOW)).ids, prolonged)
        await fresh.close()
      })

      it('begin again for a cursor of a store that was lost', async () => {
        const fresh = open()
        await fresh.revoke('first', NOW + 10)
        const told = await fresh.revocations(1_000_000, NOW)
        assert.deepEqual(told.ids, [{ id: 'first', expiresAt: NOW + 10 }])
        assert.equal(told.lost, true)
        const empty = open()
        assert.equal((await empty.revocations(told.cursor, NOW)).lost, true)
        await empty.close()
        await fresh.revoke('second', NOW + 10)
        assert.deepEqual(
          (await fresh.revocations(told.cursor, NOW)).ids.map(({ id }) => id),
          ['second'],
        )
        await fresh.close()
      })
    })

    it('refuses everything after close', async () => {
      const ended = open()
      await ended.ping()
      await ended.close()
      await ended.close()
      const calls = [
        () => ended.get('k', NOW),
        () => ended.put('k', 'v', NOW + 1),
        () => ended.strikes('k', NOW),
        () => ended.counts(['k'], NOW),
        () => ended.uncount(['k'], NOW),
        () => ended.revoke('k', NOW),
        () => ended.revocations(0, NOW),
        () => ended.ping(),
      ]
      for (const call of calls) await assert.rejects(call, StoreUnavailableError)
    })

    it('does what a simple model does, whatever the order of operations', async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (steps) => {
          const real = open()
          const model = createModel()
          let now = NOW
          const said: unknown[] = []
          const expected: unknown[] = []
          for (const step of steps) {
            now += step.later
            said.push(await step.run(real as unknown as Model, now))
            expected.push(await step.run(model, now))
          }
          await real.close()
          assert.deepEqual(said, expected)
        }),
        { numRuns: 150 },
      )
    })
  })
}

function times<T>(count: number, run: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(index)))
}
