import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { RequiredAcr } from '../../proxy/policy/acr.ts'
import { decide } from '../../proxy/policy/decide.ts'
import { parseRules } from '../../proxy/policy/parse-rules.ts'
import type { Decision, Rule, RuleRequest } from '../../proxy/policy/rule.ts'
import type { Session } from '../../proxy/session/session.ts'
import { BASIC, NOW, withCode } from './sessions.ts'

const RULES = `
  public      /assets/** /favicon.ico
  twilio_sms  /payroll/**  max_age=15m  groups=hr,admins
  basic       /board/**  groups=board
  twilio_sms  POST,PUT,DELETE /api/**
  twilio_sms  GET /audit/**
  basic       app.example.com/reports/**
  public      other.example.com/reports/**
  deny        /internal/**
  basic       /basic/**
  twilio_sms  /money/** max_age=5m
  twilio_sms  /code/**
`

function rulesOf(text: string): readonly Rule[] {
  const { rules, problems } = parseRules(text, 'app.example.com')
  assert.deepEqual(problems, [])
  return rules
}

type Asked = Partial<RuleRequest> & {
  path?: string
  host?: string
  defaultAcr?: RequiredAcr
  rules?: string
}

function ask(session: Session | undefined, asked: Asked): Decision {
  const {
    path = '/',
    method = 'GET',
    host = 'app.example.com',
    hosts = [host],
    paths = [path],
  } = asked
  const rules = rulesOf(asked.rules ?? RULES)
  return decide(rules, asked.defaultAcr ?? 'twilio_sms', session, { method, hosts, paths }, NOW)
}

const FORWARD = { kind: 'forward' }
const SIGN_IN = { kind: 'sign-in' }
const STEP_UP = { kind: 'step-up', acr: 'twilio_sms' }
const DENIED = { kind: 'deny', reason: 'rule' }
const NO_MEMBER = { kind: 'deny', reason: 'groups' }
const CODE = withCode(60_000)

describe('what a path needs and what a session proves', () => {
  const table: readonly (readonly [string, string, Session | undefined, Decision['kind']])[] = [
    ['nobody on a public path', '/assets/a.css', undefined, 'forward'],
    ['nobody on a basic path', '/basic', undefined, 'sign-in'],
    ['nobody on a path that needs a code', '/code', undefined, 'sign-in'],
    ['nobody on a path with groups', '/board', undefined, 'sign-in'],
    ['nobody on a denied path', '/internal', undefined, 'deny'],
    ['nobody where no rule says anything', '/', undefined, 'sign-in'],
    ['the first factor on a public path', '/favicon.ico', BASIC, 'forward'],
    ['the first factor on a basic path', '/basic/x', BASIC, 'forward'],
    ['the first factor on a path that needs a code', '/code/x', BASIC, 'step-up'],
    ['the first factor where no rule says anything', '/', BASIC, 'step-up'],
    ['the first factor on a denied path', '/internal/x', BASIC, 'deny'],
    ['a code on a basic path', '/basic', CODE, 'forward'],
    ['a code on a path that needs one', '/code', CODE, 'forward'],
    ['a code where no rule says anything', '/', CODE, 'forward'],
    ['a code on a denied path', '/internal', CODE, 'deny'],
  ]
  for (const [name, path, session, kind] of table) {
    test(`${name}: ${kind}`, () => assert.equal(ask(session, { path }).kind, kind))
  }

  test('the default acr decides where no rule matches', () => {
    assert.deepEqual(ask(undefined, { defaultAcr: 'public' }), FORWARD)
    assert.deepEqual(ask(BASIC, { defaultAcr: 'basic' }), FORWARD)
    assert.deepEqual(ask(undefined, { defaultAcr: 'basic' }), SIGN_IN)
    assert.deepEqual(ask(BASIC, { defaultAcr: 'twilio_sms' }), STEP_UP)
  })

  test('the first rule that matches wins', () => {
    const rules = 'deny /a/b\nbasic /a/**\ntwilio_sms /**'
    assert.deepEqual(ask(BASIC, { rules, path: '/a/b' }), DENIED)
    assert.deepEqual(ask(BASIC, { rules, path: '/a/c' }), FORWARD)
    assert.deepEqual(ask(BASIC, { rules, path: '/b' }), STEP_UP)
  })
})

describe('age of the code', () => {
  test('a code is enough until it is older than the rule says', () => {
    const path = '/money/x'
    assert.deepEqual(ask(withCode(300_000), { path }), FORWARD)
    assert.deepEqual(ask(withCode(300_001), { path }), { ...STEP_UP, maxAge: 300_000 })
  })

  test('the step-up says how fresh the code has to be, also for the first one', () => {
    assert.deepEqual(ask(BASIC, { path: '/payroll' }), { ...STEP_UP, maxAge: 900_000 })
  })
})

describe('age of the sign-in', () => {
  const rules = `
    basic       /reports/** signed_in_within=9m
    twilio_sms  /pay/** signed_in_within=15m max_age=5m groups=hr
    basic       /week signed_in_within=7d
    basic       /**
  `
  const given = (session: Session) => ({ ...session, authTimeGiven: true }) as const
  const AGAIN = { kind: 'sign-in', maxAge: 540_000 }

  test('a sign-in is enough until it is older than the rule says, and a minute for other clocks', () => {
    assert.deepEqual(ask(given(BASIC), { rules, path: '/reports' }), FORWARD)
    const older = given({ ...BASIC, authTime: NOW - 600_001 })
    assert.deepEqual(ask(older, { rules, path: '/reports' }), AGAIN)
    assert.deepEqual(ask(older, { rules, path: '/else' }), FORWARD)
  })

  test('a time that the provider did not say is never fresh', () => {
    assert.deepEqual(ask({ ...BASIC, authTime: NOW }, { rules, path: '/reports' }), AGAIN)
  })

  test('the first sign-in is to be as fresh', () => {
    assert.deepEqual(ask(undefined, { rules, path: '/reports' }), AGAIN)
    assert.deepEqual(ask(undefined, { rules, path: '/else' }), SIGN_IN)
  })

  test('it comes before the code, and after groups', () => {
    const path = '/pay/slip'
    const old = { ...BASIC, authTime: NOW - 961_000 }
    assert.deepEqual(ask(given(old), { rules, path }), { kind: 'sign-in', maxAge: 900_000 })
    assert.deepEqual(ask({ ...given(old), groups: [] }, { rules, path }), NO_MEMBER)
    assert.deepEqual(ask(given(BASIC), { rules, path }), { ...STEP_UP, maxAge: 300_000 })
    assert.deepEqual(ask(given(withCode(0)), { rules, path }), FORWARD)
  })

  test('of two readings the stricter one counts', () => {
    const paths = ['/reports', '/week'] as const
    for (const all of [paths, paths.toReversed()] as [string, string][]) {
      assert.deepEqual(ask(undefined, { rules, paths: all }), AGAIN)
    }
  })
})

describe('groups', () => {
  test('one of them is enough, compared exactly', () => {
    assert.deepEqual(ask(CODE, { path: '/payroll' }), FORWARD)
    assert.deepEqual(ask({ ...CODE, groups: ['admins'] }, { path: '/payroll' }), FORWARD)
    assert.deepEqual(ask({ ...CODE, groups: ['HR', 'h', 'hr '] }, { path: '/payroll' }), NO_MEMBER)
    assert.deepEqual(ask({ ...CODE, groups: [] }, { path: '/payroll' }), NO_MEMBER)
  })

  test('who is no member is not asked for a code first, and no later rule is tried', () => {
    assert.deepEqual(ask({ ...BASIC, groups: [] }, { path: '/payroll' }), NO_MEMBER)
    assert.deepEqual(ask(BASIC, { path: '/board/minutes' }), NO_MEMBER)
  })
})

describe('methods', () => {
  test('a rule that names methods leaves the others to later rules', () => {
    const asked = { path: '/api/x', defaultAcr: 'basic' } as const
    assert.deepEqual(ask(BASIC, { ...asked, method: 'POST' }), STEP_UP)
    assert.deepEqual(ask(BASIC, { ...asked, method: 'GET' }), FORWARD)
  })

  test('a method in another case does not escape', () => {
    const asked = { path: '/api/x', defaultAcr: 'basic' } as const
    for (const method of ['post', 'Post', 'pOST']) {
      assert.deepEqual(ask(BASIC, { ...asked, method }), STEP_UP)
    }
  })

  test('GET covers HEAD, and not the other way round', () => {
    const asked = { path: '/audit', defaultAcr: 'basic' } as const
    assert.deepEqual(ask(BASIC, { ...asked, method: 'HEAD' }), STEP_UP)
    assert.deepEqual(ask(BASIC, { ...asked, method: 'head' }), STEP_UP)
    const rules = 'deny HEAD /x'
    assert.deepEqual(ask(BASIC, { rules, path: '/x', defaultAcr: 'basic' }), FORWARD)
  })

  test('a rule without methods covers made-up ones', () => {
    assert.deepEqual(ask(CODE, { path: '/internal', method: 'FROBNICATE' }), DENIED)
  })
})

test('a rule with a host is for that host only', () => {
  const path = '/reports/1'
  assert.deepEqual(ask(BASIC, { path }), FORWARD)
  assert.deepEqual(ask(undefined, { path }), SIGN_IN)
  assert.deepEqual(ask(undefined, { path, host: 'other.example.com' }), FORWARD)
  assert.deepEqual(ask(undefined, { path, host: 'third.example.com' }), SIGN_IN)
})

test('of several hosts that the application is told of the strictest decision wins, in any order', () => {
  const path = '/reports/1'
  const told: [string, string] = ['other.example.com', 'third.example.com']
  assert.deepEqual(ask(undefined, { path, hosts: told }), SIGN_IN)
  assert.deepEqual(ask(undefined, { path, hosts: told.toReversed() as [string, string] }), SIGN_IN)
})

describe('several readings of one path', () => {
  const readings = (...paths: [string, ...string[]]) => ({ paths })

  test('the strictest decision wins, in any order', () => {
    const cases = [
      ['/assets/x', '/internal', undefined, DENIED],
      ['/code', '/internal', undefined, DENIED],
      ['/assets/x', '/basic', undefined, SIGN_IN],
      ['/basic', '/code', BASIC, STEP_UP],
      ['/basic', '/board', BASIC, NO_MEMBER],
      ['/assets/x', '/basic', BASIC, FORWARD],
    ] as const
    for (const [one, other, session, decision] of cases) {
      assert.deepEqual(ask(session, readings(one, other)), decision)
      assert.deepEqual(ask(session, readings(other, one)), decision)
    }
  })

  test('of two step-ups the one with the fresher code', () => {
    const fresh = { ...STEP_UP, maxAge: 300_000 }
    for (const other of ['/payroll', '/code']) {
      assert.deepEqual(ask(BASIC, readings('/money', other)), fresh)
      assert.deepEqual(ask(BASIC, readings(other, '/money')), fresh)
    }
  })

  test('no reading at all is denied', () => {
    const paths = [] as unknown as [string]
    assert.deepEqual(ask(CODE, { paths, defaultAcr: 'public' }), DENIED)
  })
})

describe('what is not understood is not forwarded', () => {
  test('a session with an acr that nobody knows proves nothing', () => {
    const session = { ...CODE, acr: 'super' } as unknown as Session
    assert.deepEqual(ask(session, { path: '/basic' }), SIGN_IN)
  })

  test('a session with an impossible time proves nothing', () => {
    for (const name of ['createdAt', 'seenAt', 'authTime'] as const) {
      for (const time of [Number.NaN, Number.POSITIVE_INFINITY, undefined]) {
        const session = { ...CODE, [name]: time } as Session
        assert.deepEqual(ask(session, { path: '/basic' }), SIGN_IN, `${name} ${time}`)
      }
    }
    for (const name of ['createdAt', 'seenAt'] as const) {
      assert.deepEqual(ask({ ...CODE, [name]: NOW + 60_001 }, { path: '/basic' }), SIGN_IN)
    }
  })

  test("a provider's clock that is ahead locks nobody out", () => {
    assert.deepEqual(ask({ ...CODE, authTime: NOW + 60_000 }, { path: '/basic' }), FORWARD)
  })

  test('a clock that is no number lets nobody in', () => {
    const request: RuleRequest = { method: 'GET', hosts: ['a'], paths: ['/'] }
    assert.deepEqual(decide([], 'basic', CODE, request, Number.NaN), SIGN_IN)
  })

  test('an acr of a rule or a default that nobody knows is a denial', () => {
    const request: RuleRequest = { method: 'GET', hosts: ['a'], paths: ['/'] }
    const rule = { source: '', requires: 'gold', matchesPath: () => true } as unknown as Rule
    assert.deepEqual(decide([rule], 'public', CODE, request, NOW), DENIED)
    assert.deepEqual(decide([], 'gold' as RequiredAcr, CODE, request, NOW), DENIED)
    assert.deepEqual(decide([], undefined as unknown as RequiredAcr, CODE, request, NOW), DENIED)
  })
})

describe('properties', () => {
  const segment = fc.constantFrom('a', 'b', 'secret', 'x.css')
  const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
  const paths = fc.tuple(path, path, path)
  const method = fc.constantFrom('GET', 'get', 'HEAD', 'POST', 'post', 'QUERY', 'X')
  const host = fc.constantFrom('app.example.com', 'b.example', '')
  const request = fc.record({ method, hosts: fc.tuple(host), paths })
  const glob = fc.constantFrom('a', 'b', '*', '**', 'secret', '*.css')
  const pattern = fc.array(glob, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
  const acr = fc.constantFrom('public', 'basic', 'twilio_sms', 'deny')
  const line = fc.record({ acr, method: fc.constantFrom('', 'GET ', 'POST '), pattern })
  const lines = fc.array(line.map((rule) => `${rule.acr} ${rule.method}${rule.pattern}`))
  const rules = lines.map((text) => parseRules(text.join('\n'), 'app.example.com').rules)

  test('without a session nothing is forwarded that has one reading that is not public', () => {
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        const alone = asked.paths.map((one) =>
          decide(all, 'twilio_sms', undefined, { ...asked, paths: [one] }, NOW),
        )
        const decision = decide(all, 'twilio_sms', undefined, asked, NOW)
        const isOpen = alone.every(({ kind }) => kind === 'forward')
        assert.equal(decision.kind === 'forward', isOpen)
        const needed = [...all.map(({ requires }) => requires)]
        if (!needed.includes('public')) assert.notEqual(decision.kind, 'forward')
      }),
      { numRuns: 1000 },
    )
  })

  test('proving more never takes away what proving less was given', () => {
    const rank = { forward: 0, 'step-up': 1, 'sign-in': 2, deny: 3 }
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        const [nobody, first, both] = [undefined, BASIC, CODE].map(
          (session) => rank[decide(all, 'twilio_sms', session, asked, NOW).kind],
        ) as [number, number, number]
        assert.ok(both <= first && first <= nobody)
      }),
      { numRuns: 1000 },
    )
  })
})
