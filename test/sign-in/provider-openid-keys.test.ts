import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { known, withEvilProvider } from './open-provider.ts'

describe('the keys of a provider', { timeout: 20_000 }, () => {
  const { evil, openEvil, redeemFrom } = withEvilProvider()

  async function openWithClock() {
    let now = 0
    const provider = await known(openEvil({ elapsed: () => now }).provider)
    const asked = evil().requestCount('jwks')
    return {
      provider,
      turnClock: (ms: number) => {
        now += ms
      },
      asked: () => evil().requestCount('jwks') - asked,
    }
  }

  it('are asked for once in five seconds, however many people sign in', async () => {
    const { provider, turnClock, asked } = await openWithClock()
    for (const [after, total] of [
      [0, 1],
      [4_999, 1],
      [1, 2],
      [4_999, 2],
    ] as const) {
      turnClock(after)
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      assert.equal(asked(), total)
    }
  })

  it('are asked for at once when a token names another, each time', async () => {
    const { provider, asked } = await openWithClock()
    for (let times = 1; times <= 3; times++) {
      for (let people = 0; people < 2; people++) {
        assert.equal((await redeemFrom(provider)).kind, 'signed-in')
        assert.equal(asked(), times)
      }
      await evil().rotateKeys()
    }
  })

  it('that were taken away are believed no longer than that', async () => {
    const { provider, turnClock } = await openWithClock()
    assert.equal((await redeemFrom(provider)).kind, 'signed-in')
    evil().behave({ answers: { jwks: { status: 200, ...JSON_TYPE, body: '{"keys":[]}' } } })
    turnClock(5_000)
    assert.equal((await redeemFrom(provider)).kind, 'invalid')
  })

  it('are asked for anew after a token that fits none of them', async () => {
    const { provider, asked } = await openWithClock()
    evil().behave({ signing: 'no-kid' })
    assert.equal((await redeemFrom(provider)).kind, 'signed-in')
    await evil().rotateKeys()
    assert.equal((await redeemFrom(provider)).kind, 'invalid')
    assert.equal((await redeemFrom(provider)).kind, 'signed-in')
    assert.equal(asked(), 2)
  })
})

const JSON_TYPE = { headers: { 'content-type': 'application/json' } }
