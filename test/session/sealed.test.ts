import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sealData } from 'iron-session'
import { ironHapi } from '../../proxy/session/iron-hapi.ts'
import { ironSession } from '../../proxy/session/iron-session.ts'
import { createSealer as createAny, SealTooLongError } from '../../proxy/session/sealed.ts'

const NOW = 1_700_000_000_000
const LATER = NOW + 1000
const NEW = 'the newest secret, of 32 characters'
const OLD = 'an older secret, of over 32 characters'
const OLDER = 'the oldest secret, of over 32 characters'

const IRONS = { 'iron-session': ironSession, '@hapi/iron': ironHapi }

for (const [name, iron] of Object.entries(IRONS)) {
  const createSealer = (secrets: readonly [string, ...string[]], maxLength?: number) =>
    createAny(secrets, { iron, ...(maxLength !== undefined && { maxLength }) })
  const sealer = createSealer([NEW])

  describe(`a seal by ${name}`, () => {
    it('gives back what was sealed', async () => {
      const values = [
        'text',
        7,
        true,
        null,
        ['a', { b: 'ü · 二' }],
        { a: { b: [] }, c: '*~;"\r\n' },
      ]
      for (const value of values) {
        const sealed = await sealer.seal('t', value, LATER, NOW)
        assert.deepEqual(await sealer.unseal('t', sealed, NOW), value)
      }
    })

    it('may stand in a cookie and in a query, and shows nothing of what is in it', async () => {
      const sealed = await sealer.seal('t', { phone: '+15551234567' }, LATER, NOW)
      assert.match(sealed, /^[\w.*~-]+$/)
      assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /5551234567/)
    })

    it('holds until the millisecond before it expires, by the clock that is passed', async () => {
      const sealed = await sealer.seal('t', 'x', LATER, NOW)
      assert.equal(await sealer.unseal('t', sealed, LATER - 1), 'x')
      assert.equal(await sealer.unseal('t', sealed, LATER), undefined)
    })

    it('holds for years when it was told to', async () => {
      const year = 365 * 24 * 60 * 60_000
      const sealed = await sealer.seal('t', 'x', NOW + 10 * year, NOW)
      assert.equal(await sealer.unseal('t', sealed, NOW + 9 * year), 'x')
    })

    it('from more than a minute in the future is refused', async () => {
      const sealed = await sealer.seal('t', 'x', LATER + 99_999, NOW)
      assert.equal(await sealer.unseal('t', sealed, NOW - 60_000), 'x')
      assert.equal(await sealer.unseal('t', sealed, NOW - 60_001), undefined)
    })

    it('for one purpose is nothing for another', async () => {
      const typs = ['session', 'sign-in', 'challenge', 'provider-tokens', '']
      for (const typ of typs) {
        const sealed = await sealer.seal(typ, 'x', LATER, NOW)
        for (const other of typs) {
          const expected = other === typ ? 'x' : undefined
          assert.equal(await sealer.unseal(other, sealed, NOW), expected, `${typ} as ${other}`)
        }
      }
    })

    it('is not sealed with the secret itself, which another program may use too', async () => {
      const envelope = { typ: 't', iat: NOW, exp: LATER, value: 'x' }
      for (const id of ['1', (await sealer.seal('t', 'x', LATER, NOW)).split('*')[1] ?? '']) {
        const foreign = await sealData(envelope, { password: { [id]: NEW }, ttl: 0 })
        assert.equal(await sealer.unseal('t', foreign, NOW), undefined)
      }
    })

    it('that would be too long is refused when it is made, and when it comes', async () => {
      await assert.rejects(sealer.seal('t', 'x'.repeat(65_000), LATER, NOW), (error) => {
        assert.ok(error instanceof SealTooLongError)
        assert.equal(error.code, 'seal_too_long')
        assert.doesNotMatch(error.message, /xx/)
        return true
      })
      const long = await createSealer([NEW], 200_000).seal('t', 'x'.repeat(65_000), LATER, NOW)
      assert.equal(await sealer.unseal('t', long, NOW), undefined)
      assert.notEqual(await createSealer([NEW], 200_000).unseal('t', long, NOW), undefined)
    })
  })

  describe(`rotation by ${name}`, () => {
    it('seals with the newest secret and opens with all', async () => {
      const before = createSealer([OLD, OLDER])
      const after = createSealer([NEW, OLD])
      const old = await before.seal('t', 'old', LATER, NOW)
      const fresh = await after.seal('t', 'new', LATER, NOW)
      assert.equal(await after.unseal('t', old, NOW), 'old')
      assert.equal(await after.unseal('t', fresh, NOW), 'new')
      assert.equal(await createSealer([NEW]).unseal('t', fresh, NOW), 'new')
      assert.equal(await createSealer([OLDER, OLD, NEW]).unseal('t', fresh, NOW), 'new')
      assert.equal(await before.unseal('t', fresh, NOW), undefined)
    })

    it('makes seals of a secret that was taken away worthless', async () => {
      const old = await createSealer([OLDER]).seal('t', 'x', LATER, NOW)
      assert.equal(await createSealer([NEW, OLD]).unseal('t', old, NOW), undefined)
    })
  })

  describe(`what is not a seal of ours, by ${name}`, () => {
    const nothing = async (text: unknown) =>
      assert.equal(
        await sealer.unseal('t', text as string, NOW),
        undefined,
        String(text).slice(0, 90),
      )

    it('is nothing: rubbish of any kind', async () => {
      const fe26 = 'Fe26.2*1*aa*bb*cc**dd*ee~2'
      const rubbish = [
        '',
        ' ',
        '~',
        '*******',
        'Fe26.2',
        fe26,
        '\0',
        'é',
        '%00',
        '{}',
        '[object Object]',
      ]
      for (const text of rubbish) await nothing(text)
      for (const value of [undefined, null, 7, {}, [], ['x'], Buffer.from('x')])
        await nothing(value)
      await nothing('*'.repeat(1_000_000))
      await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), nothing))
    })

    it('is nothing: a seal that was changed in any place', async () => {
      const sealed = await sealer.seal('t', { a: 'secret' }, LATER, NOW)
      const letters = [...'AZaz09-_*~.+/= ;\0']
      await fc.assert(
        fc.asyncProperty(
          fc.nat(sealed.length - 1),
          fc.constantFrom(...letters),
          fc.constantFrom('replace', 'insert', 'remove', 'cut'),
          async (at, letter, change) => {
            const rest = change === 'insert' ? sealed.slice(at) : sealed.slice(at + 1)
            const middle = change === 'remove' || change === 'cut' ? '' : letter
            const changed = sealed.slice(0, at) + middle + (change === 'cut' ? '' : rest)
            if (changed !== sealed) await nothing(changed)
          },
        ),
        { numRuns: 300 },
      )
    })

    it('is nothing: another spelling of a seal, so that one session has one cookie value', async () => {
      const sealed = await sealer.seal('t', 'x', LATER, NOW)
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const end = sealed.slice(0, -2)
      const last = alphabet.indexOf(end.at(-1) ?? '')
      const sibling = end.slice(0, -1) + alphabet[last + 1]
      const others = [
        end,
        `${end}~`,
        `${end}~1`,
        `${end}~22`,
        `${end}~2~2`,
        `${end}=~2`,
        `${sibling}~2`,
      ]
      for (const other of [...others, `${sealed} `, ` ${sealed}`, `${sealed}\n`])
        await nothing(other)
    })

    it('is nothing: parts of two seals together', async () => {
      const one = (await sealer.seal('t', 'one', LATER, NOW)).split('*')
      const two = (await sealer.seal('t', 'two', LATER, NOW)).split('*')
      for (let mask = 1; mask < 255; mask++) {
        const mixed = one.map((part, index) => (mask & (1 << index) ? two[index] : part))
        const text = mixed.join('*')
        if (text !== one.join('*') && text !== two.join('*')) await nothing(text)
      }
    })
  })
}

describe('seals of iron-session and of node:crypto', () => {
  it('are the same: each opens the other’s', async () => {
    const [one, other] = Object.values(IRONS).map((iron) => createAny([NEW], { iron }))
    assert.ok(one && other)
    const value = { a: [1, null, true, 'ü · 二'], b: { c: '*~;"\r\n', d: undefined } }
    const read = { a: value.a, b: { c: value.b.c } }
    assert.deepEqual(await one.unseal('t', await other.seal('t', value, LATER, NOW), NOW), read)
    assert.deepEqual(await other.unseal('t', await one.seal('t', value, LATER, NOW), NOW), read)
  })
})
