import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AndFilter, EqualityFilter, FilterParser } from 'ldapts'
import type { Person } from '../../proxy/phone/phone-directory.ts'
import { compileUserFilter, UserFilterError } from '../../proxy/phone/user-filter.ts'

const alice: Person = { subject: 's-1', username: 'alice', email: 'alice@example.com' }

describe('the user filter', () => {
  it('puts in each of the three values', () => {
    const template = compileUserFilter('(|(uid={username})(mail={email})(oid={sub}))')
    const filter = '(|(uid=alice)(mail=alice@example.com)(oid=s-1))'
    assert.deepEqual(template.fill(alice), { kind: 'filter', filter })
  })

  it('takes any text for a value only, never for a part of the filter', () => {
    const template = compileUserFilter('(&(objectClass=person)(uid={username}))')
    const hostile = fc.string({ unit: fc.constantFrom(...'*()\\\0&|!=2a{}username ü$') })
    const property = fc.property(fc.oneof(fc.string(), hostile), (username) => {
      const filled = template.fill({ ...alice, username })
      if (filled.kind === 'missing') return assert.equal(username.trim(), '')
      const parsed = FilterParser.parseString(filled.filter)
      assert.ok(parsed instanceof AndFilter)
      const [, equality] = parsed.filters
      assert.equal(parsed.filters.length, 2)
      assert.ok(equality instanceof EqualityFilter)
      assert.equal(equality.value, username)
    })
    fc.assert(property, { numRuns: 1000 })
  })

  it('is not filled when the person lacks what it needs', () => {
    const template = compileUserFilter('(mail={email})')
    const missing = { kind: 'missing', value: 'email' }
    assert.deepEqual(template.fill({ subject: 's', username: 'u' }), missing)
    assert.deepEqual(template.fill({ ...alice, email: '' }), missing)
    assert.deepEqual(template.fill({ ...alice, email: ' ' }), missing)
    assert.deepEqual(template.fill({ ...alice, email: 'a\ud800' }), missing)
  })

  it('is refused when it does not parse or would match whoever asks', () => {
    const bad = [
      '(objectClass=person)',
      '(uid={user})',
      '(uid={})',
      '(uid={username}',
      '',
      '(={sub})',
    ]
    for (const text of bad) assert.throws(() => compileUserFilter(text), UserFilterError, text)
  })

  it('tells an entry that the directory matched too generously', () => {
    const template = compileUserFilter('(uid={username})')
    const names = (uid: string | string[], username: string) =>
      template.names({ uid }, { ...alice, username })
    assert.equal(names('alice', 'alice'), true)
    assert.equal(names('Alice', 'aLICE'), true)
    assert.equal(names(['bob', ' alice '], 'alice'), true)
    assert.equal(names('Mu\u0308ller', 'mÜller'), true)
    for (const other of ['ａｌｉｃｅ', 'ali\u00adce', 'alice ', 'álice', 'alıce', 'bob']) {
      assert.equal(names('alice', other), false, JSON.stringify(other))
    }
    // The Kelvin sign folds onto k in Unicode itself.
    assert.equal(names('mike', 'mi\u212ae'), false)
  })

  it('leaves the comparison to the directory where it can not see the name', () => {
    const both = compileUserFilter('(|(uid={username})(mail={email}))')
    assert.deepEqual(both.attributes, ['uid', 'mail'])
    assert.equal(both.names({ uid: 'al', mail: [] }, alice), true)
    assert.equal(both.names({ uid: 'al', mail: 'alice@example.com' }, alice), true)
    assert.equal(both.names({ uid: 'al', mail: 'al@example.com' }, alice), false)
    assert.equal(compileUserFilter('(uid={username}*)').names({ uid: 'al' }, alice), true)
  })
})
