import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { judgeChallenges } from '../../proxy/policy/judge-challenges.ts'
import { parseChallenges } from '../../proxy/policy/parse-challenges.ts'
import type { Demand } from '../../proxy/policy/rule.ts'
import type { Session } from '../../proxy/session/session.ts'
import { BASIC, NOW, withCode } from './sessions.ts'

type Plain = readonly [scheme: string, params?: Readonly<Record<string, string>>]

function plain(fields: readonly string[]): Plain[] {
  return parseChallenges(fields).map(({ scheme, params }) =>
    params.size === 0 ? [scheme] : [scheme, Object.fromEntries(params)],
  )
}

describe('the challenges of WWW-Authenticate', () => {
  const legal: readonly (readonly [string, readonly string[], readonly Plain[]])[] = [
    ['none', [], []],
    ['an empty field', [''], []],
    ['a scheme alone', ['Negotiate'], [['negotiate']]],
    ['values as tokens', ['Bearer error=x,max_age=5'], [['bearer', { error: 'x', max_age: '5' }]]],
    [
      'quoted values',
      ['Bearer error="x", a="b c, d=e"'],
      [['bearer', { error: 'x', a: 'b c, d=e' }]],
    ],
    ['escapes in quotes', [String.raw`Bearer a="\"b\\\c"`], [['bearer', { a: '"b\\c' }]]],
    ['an empty quoted value', ['Bearer a=""'], [['bearer', { a: '' }]]],
    ['bytes that are no ASCII', ['Basic realm="Gr\u00fc\u00dfe"'], [['basic', { realm: 'Grüße' }]]],
    ['any case', ['BEARER Error="X"'], [['bearer', { error: 'X' }]]],
    ['space around =', ['Bearer a = "b",c\t=\td'], [['bearer', { a: 'b', c: 'd' }]]],
    ['more space behind the scheme', ['Bearer   a=b'], [['bearer', { a: 'b' }]]],
    ['empty members of the list', [', ,Bearer ,, a=b,,,c=d ,'], [['bearer', { a: 'b', c: 'd' }]]],
    [
      'no space at commas',
      ['A b=c,D e=f'],
      [
        ['a', { b: 'c' }],
        ['d', { e: 'f' }],
      ],
    ],
    [
      'several in one field',
      ['Basic realm="x", Bearer error="y"'],
      [
        ['basic', { realm: 'x' }],
        ['bearer', { error: 'y' }],
      ],
    ],
    [
      'several fields',
      ['Basic realm="x"', 'Bearer error="y"'],
      [
        ['basic', { realm: 'x' }],
        ['bearer', { error: 'y' }],
      ],
    ],
    [
      'one over several fields',
      ['Bearer error="y"', 'acr_values="z"'],
      [['bearer', { error: 'y', acr_values: 'z' }]],
    ],
    [
      'a token68 before',
      ['Negotiate YWJj/+-._~==, Bearer a=b'],
      [['negotiate'], ['bearer', { a: 'b' }]],
    ],
    [
      'a token68 that looks like a name',
      ['NTLM error', 'Bearer a=b'],
      [['ntlm'], ['bearer', { a: 'b' }]],
    ],
    ['a token68 with one =', ['X a=, Bearer a=b'], [['x'], ['bearer', { a: 'b' }]]],
    [
      'a challenge within a quoted value',
      ['Basic realm="Bearer a=b, C"'],
      [['basic', { realm: 'Bearer a=b, C' }]],
    ],
    ['odd characters of tokens', ["!#$%&'*+.^_`|~-9 a=b"], [["!#$%&'*+.^_`|~-9", { a: 'b' }]]],
  ]
  for (const [name, fields, expected] of legal) {
    test(`are read: ${name}`, () => assert.deepEqual(plain(fields), expected))
  }

  const faulty: readonly (readonly [string, readonly string[], readonly Plain[]])[] = [
    [
      'a quote that is never closed',
      ['A b=c, Bearer a="b', 'D e=f'],
      [
        ['a', { b: 'c' }],
        ['d', { e: 'f' }],
      ],
    ],
    ['a parameter without a scheme', ['a=b, Bearer c=d', 'Bearer e=f'], [['bearer', { e: 'f' }]]],
    ['a parameter twice, in any case', ['Bearer a=b, A=c', 'D e=f'], [['d', { e: 'f' }]]],
    ['parameters without commas', ['Bearer a=b c=d'], []],
    ['a value missing', ['Bearer a=, b=c', 'Bearer d=e, f='], [['bearer', { b: 'c' }]]],
    ['a control character in quotes', ['Bearer a="b\u0001"'], []],
    ['an escaped control character', ['Bearer a="b\\\u0000"'], []],
    ['two schemes without a comma', ['NTLM Bearer a=b'], []],
    ['what is no token', ['Be(arer) a=b'], []],
    ['only a sign', ['='], []],
  ]
  for (const [name, fields, expected] of faulty) {
    test(`are left out where they are not legal: ${name}`, () => {
      assert.deepEqual(plain(fields), expected)
    })
  }

  test('come out of any legal spelling as they went in', () => {
    const token = fc.string({
      unit: fc.constantFrom(..."abcXYZ019!#$%&'*+.^_`|~-"),
      minLength: 1,
      maxLength: 6,
    })
    const text = fc.string({
      unit: fc.constantFrom(...'ab \t",\\=;ü/', 'Bearer a=b,'),
      maxLength: 8,
    })
    const gap = fc.constantFrom('', ' ', '\t', '  ')
    const comma = fc.constantFrom(',', ', ', ' , ', ',, ', ' ,\t, ')
    const value = fc.oneof(
      token.map((spelled) => ({ value: spelled, spelled })),
      fc.tuple(text, fc.boolean()).map(([inner, all]) => ({
        value: inner,
        spelled: `"${inner.replace(all ? /[^\t]/g : /["\\]/g, '\\$&')}"`,
      })),
    )
    const param = fc.record({ name: token, value, before: gap, after: gap })
    const challenge = fc.record({
      scheme: token,
      blank: fc.constantFrom(' ', '   '),
      params: fc.uniqueArray(param, {
        selector: ({ name }) => name.toLowerCase(),
        minLength: 1,
        maxLength: 4,
      }),
    })
    const list = fc.array(fc.record({ challenge, comma, newField: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(list, (all) => {
        const fields: string[] = []
        for (const { challenge, comma, newField } of all) {
          const { scheme, blank, params } = challenge
          const spelled = params.map(
            ({ name, value, before, after }) => `${name}${before}=${after}${value.spelled}`,
          )
          const text = `${scheme}${blank}${spelled.join(comma)}`
          const before = newField ? undefined : fields.pop()
          fields.push(before === undefined ? text : `${before}${comma}${text}`)
        }
        assert.deepEqual(
          parseChallenges(fields).map(({ scheme, params }) => [scheme, [...params]]),
          all.map(({ challenge: { scheme, params } }) => [
            scheme.toLowerCase(),
            params.map(({ name, value }) => [name.toLowerCase(), value.value]),
          ]),
        )
      }),
      { numRuns: 1000 },
    )
  })

  test('never take long or throw, whatever an application sends', () => {
    const piece = fc.constantFrom(
      'Bearer',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'a',
      '\t',
      '==',
      '\u0001',
      'ü',
    )
    fc.assert(
      fc.property(fc.array(fc.array(piece).map((pieces) => pieces.join(''))), (fields) => {
        for (const { params } of parseChallenges(fields)) assert.ok(params instanceof Map)
      }),
    )
    for (const part of ['Bearer ', 'a=b,', 'A,', ' ', '\\a', '"', '=', 'a ']) {
      parseChallenges([`Bearer a="${part.repeat(30_000)}`, `Bearer ${part.repeat(30_000)}!`])
    }
  })
})

describe('what an application asks for', () => {
  const MINUTE = 60_000
  const ERROR = 'error="insufficient_user_authentication"'
  const CODE = { kind: 'step-up', acr: 'twilio_sms' } as const
  const SIGN_IN = { kind: 'sign-in' } as const
  const SIGNED_IN: Session = { ...BASIC, authTimeGiven: true }

  const table: readonly (readonly [string, Session | undefined, string, Demand | undefined])[] = [
    ['a code', BASIC, 'acr_values="twilio_sms"', CODE],
    ['a code, as a token', BASIC, 'acr_values=twilio_sms', CODE],
    ['a code of somebody unknown', undefined, 'acr_values="twilio_sms"', CODE],
    ['a code that was given long ago', withCode(1e9), 'acr_values="twilio_sms"', undefined],
    [
      'a fresh code',
      BASIC,
      'acr_values="twilio_sms", max_age=300',
      { ...CODE, maxAge: 5 * MINUTE },
    ],
    [
      'a fresher code',
      withCode(6 * MINUTE),
      'acr_values="twilio_sms", max_age="300"',
      { ...CODE, maxAge: 5 * MINUTE },
    ],
    [
      'a code that is fresh',
      withCode(5 * MINUTE),
      'acr_values="twilio_sms", max_age="300"',
      undefined,
    ],
    [
      'a fresh code, by its age alone',
      withCode(6 * MINUTE),
      'max_age="300"',
      { ...CODE, maxAge: 5 * MINUTE },
    ],
    [
      'a fresh code, by its age alone, of the first factor',
      BASIC,
      'max_age=99999',
      { ...CODE, maxAge: 99_999_000 },
    ],
    ['an age that is met', withCode(5 * MINUTE), 'max_age=300', undefined],
    [
      'a code of this moment',
      withCode(61_000),
      'acr_values="twilio_sms", max_age=0',
      { ...CODE, maxAge: 0 },
    ],
    [
      'a code of this moment, just given',
      withCode(60_000),
      'acr_values="twilio_sms", max_age=0',
      undefined,
    ],
    [
      'an absurd age',
      BASIC,
      `acr_values=twilio_sms, max_age=${'9'.repeat(400)}`,
      { ...CODE, maxAge: 999_999_999_000 },
    ],
    ['an age below zero', withCode(1e9), 'acr_values=twilio_sms, max_age="-1"', undefined],
    ['an age that is no number', BASIC, 'acr_values=twilio_sms, max_age="1.5"', CODE],
    ['an age that is no number, alone', BASIC, 'max_age="soon"', undefined],
    ['neither', BASIC, 'scope="a"', undefined],
    ['an unknown acr', BASIC, 'acr_values="phr"', undefined],
    ['an unknown acr and an age', BASIC, 'acr_values="phr", max_age=1', undefined],
    ['an acr in capitals', BASIC, 'acr_values="TWILIO_SMS"', undefined],
    ['an acr like ours', BASIC, 'acr_values="twilio_sms2"', undefined],
    ['no acr', BASIC, 'acr_values=""', undefined],
    ['an unknown acr or a code', BASIC, 'acr_values="phr  twilio_sms"', CODE],
    ['a sign-in', undefined, 'acr_values="basic"', SIGN_IN],
    ['a sign-in that was', BASIC, 'acr_values="basic"', undefined],
    ['a sign-in or a code', undefined, 'acr_values="basic twilio_sms"', SIGN_IN],
    ['a code or a sign-in', undefined, 'acr_values="twilio_sms basic"', CODE],
    ['a code or a sign-in that was', BASIC, 'acr_values="twilio_sms basic"', undefined],
    [
      'a fresh sign-in',
      SIGNED_IN,
      'acr_values="basic", max_age=539',
      { ...SIGN_IN, maxAge: 539_000 },
    ],
    [
      'a sign-in that is fresh by a minute',
      SIGNED_IN,
      'acr_values="basic", max_age=540',
      undefined,
    ],
    [
      'a fresh sign-in, of a time that nobody gave',
      BASIC,
      'acr_values="basic", max_age=9999',
      { ...SIGN_IN, maxAge: 9_999_000 },
    ],
    [
      'a fresh sign-in or a code',
      SIGNED_IN,
      'acr_values="basic twilio_sms", max_age=1',
      { ...SIGN_IN, maxAge: 1000 },
    ],
    [
      'a fresh sign-in or a code that is',
      { ...withCode(0), authTimeGiven: true },
      'acr_values="basic twilio_sms", max_age=1',
      undefined,
    ],
  ]
  for (const [name, session, params, demand] of table) {
    test(name, () => {
      const challenges = parseChallenges([`Bearer ${ERROR}, ${params}`])
      assert.deepEqual(judgeChallenges(challenges, session, NOW), demand)
    })
  }

  const demandOf = (session: Session | undefined, ...fields: string[]) =>
    judgeChallenges(parseChallenges(fields), session, NOW)

  test('is read from any scheme, and only where that very error stands', () => {
    assert.deepEqual(demandOf(BASIC, `DPoP ${ERROR}, acr_values="twilio_sms"`), CODE)
    for (const error of ['invalid_token', 'INSUFFICIENT_USER_AUTHENTICATION', '']) {
      assert.equal(demandOf(BASIC, `Bearer error="${error}", acr_values="twilio_sms"`), undefined)
    }
    assert.equal(demandOf(BASIC, `Bearer ${ERROR}`, 'DPoP acr_values="twilio_sms"'), undefined)
  })

  test('is the first of several that stepgate knows, and none once one is met', () => {
    const sign = `Bearer ${ERROR}, acr_values="basic", max_age=60`
    const code = `Bearer ${ERROR}, acr_values="twilio_sms"`
    const other = `Bearer ${ERROR}, acr_values="phr"`
    assert.deepEqual(demandOf(BASIC, 'Basic realm="x"', other, code, sign), CODE)
    assert.deepEqual(demandOf(BASIC, `${other}, ${sign}, ${code}`), { ...SIGN_IN, maxAge: MINUTE })
    assert.equal(demandOf(withCode(1e9), sign, code), undefined)
  })
})
