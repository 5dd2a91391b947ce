import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseRules } from '../../proxy/policy/parse-rules.ts'
import type { Rule } from '../../proxy/policy/rule.ts'

function parse(text: string) {
  return parseRules(text, 'app.example.com')
}

function rulesOf(text: string): readonly Rule[] {
  const { rules, problems } = parse(text)
  assert.deepEqual(problems, [])
  return rules
}

function problemOf(text: string): string {
  const { rules, problems } = parse(text)
  assert.equal(problems.length, 1, JSON.stringify(problems))
  assert.deepEqual(rules, [])
  return problems[0]?.problem ?? ''
}

describe('rules that can be read', () => {
  test('the example of the documentation', () => {
    const rules = rulesOf(`
      public      /assets/** /favicon.ico
      twilio_sms  /payroll/**  max_age=15m  groups=hr,admins
      twilio_sms  POST,PUT,DELETE /api/**
      basic       app.example.com/reports/**
      deny        /internal/**
    `)
    const seen = rules.map(({ source, matchesPath, firstSegment, ...rest }) => rest)
    assert.deepEqual(seen, [
      { requires: 'public' },
      { requires: 'public' },
      { requires: 'twilio_sms', maxAge: 900_000, groups: ['hr', 'admins'] },
      { requires: 'twilio_sms', methods: new Set(['POST', 'PUT', 'DELETE']) },
      { requires: 'basic', host: 'app.example.com' },
      { requires: 'deny' },
    ])
    assert.equal(rules[2]?.source, 'twilio_sms  /payroll/**  max_age=15m  groups=hr,admins')
    assert.deepEqual(
      ['/assets/a/b.css', '/favicon.ico', '/payroll', '/api/x', '/reports/1', '/internal'].map(
        (path, index) => rules[index]?.matchesPath(path),
      ),
      [true, true, true, true, true, true],
    )
    assert.equal(rules[2]?.matchesPath('/payrolls'), false)
  })

  test('one a line or separated by semicolons, with blank lines and comments, whatever ends a line', () => {
    const rules = rulesOf('# all; deny /no\r\n\r\nbasic /a;;public /b ;\r  # more\n\tdeny /c')
    assert.deepEqual(
      rules.map(({ source }) => source),
      ['basic /a', 'public /b', 'deny /c'],
    )
  })

  test('nothing at all', () => {
    assert.deepEqual(parse(' \n # nothing\n;'), { rules: [], problems: [] })
  })

  test('hosts in any case, with a port, a dot at the end, an address or an umlaut', () => {
    const hosts = {
      'APP.Example.com:8443/x': 'app.example.com',
      'app.example.com./x': 'app.example.com',
      '127.0.0.1:80/x': '127.0.0.1',
      '[0:0::1]:80/x': '[::1]',
      'localhost/x': 'localhost',
      'bücher.example/x': 'xn--bcher-kva.example',
      'my_app.local/x': 'my_app.local',
    }
    for (const [pattern, host] of Object.entries(hosts)) {
      assert.equal(rulesOf(`basic ${pattern}`)[0]?.host, host)
    }
    assert.equal(parseRules('basic intranet/x', 'Intranet').rules[0]?.host, 'intranet')
  })

  test('quotes keep spaces, commas and semicolons together', () => {
    const [rule] = rulesOf('basic "/my files/**" groups="Domain Users","cn=a,ou=b;c",plain')
    assert.ok(rule?.matchesPath('/my files/x'))
    assert.deepEqual(rule?.groups, ['Domain Users', 'cn=a,ou=b;c', 'plain'])
  })

  test('paths with an equals sign or an at sign', () => {
    assert.ok(rulesOf('basic /a=b/@me')[0]?.matchesPath('/a=b/@me'))
  })

  test('how old a sign-in may be, for a code as well', () => {
    const [one, two] = rulesOf('basic /x signed_in_within=8h; twilio_sms /y signed_in_within="1m"')
    assert.deepEqual([one?.signedInWithin, two?.signedInWithin], [28_800_000, 60_000])
  })

  test('bearer may stand anywhere behind the first word', () => {
    for (const text of ['basic GET /x bearer', 'basic bearer GET /x', 'basic GET bearer /x']) {
      const [rule] = rulesOf(text)
      assert.deepEqual([rule?.bearer, rule?.methods], [true, new Set(['GET'])], text)
    }
    for (const rule of rulesOf('twilio_sms /a /b groups=hr bearer')) assert.equal(rule.bearer, true)
    assert.ok(!('bearer' in (rulesOf('basic /x')[0] ?? {})))
  })

  test('groups may hold slashes, and options may stand before patterns', () => {
    const [rule] = rulesOf('twilio_sms max_age=30s groups=/hr/lead /x')
    assert.deepEqual([rule?.maxAge, rule?.groups], [30_000, ['/hr/lead']])
  })
})

describe('what is wrong is said', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['basci /x', /^basci is none of public, basic, twilio_sms, deny; the nearest is basic$/],
    ['twilio /x', /nearest is twilio_sms/],
    ['DENY /x', /nearest is deny/],
    ['basic', /names no path/],
    ['basic groups=hr', /names no path/],
    ['basic POST', /names no path/],
    ['basic reports/**', /^reports\/\*\* begins neither with \/ nor with a host name$/],
    ['basic /x reports', /^reports is no path: a path begins with \/ or with host\/$/],
    ['basic *.example.com/x', /begins neither/],
    ['basic example..com/x', /begins neither/],
    ['basic [::zz]/x', /begins neither/],
    ['basic https://a.example/x', /write host\/path without it/],
    ['basic post /x', /^post is no path; the method is written POST$/],
    ['basic PSOT /x', /^PSOT is no HTTP method; the nearest is POST$/],
    ['basic TRACE /x', /^can never match: TRACE is always refused$/],
    ['basic CONNECT,GET /x', /CONNECT is always refused/],
    ['basic POST,,PUT /x', /separated by single commas/],
    ['basic /x POST', /^POST is a method, and methods come before the paths$/],
    ['basic /x maxage=5m', /^maxage is unknown; the nearest option is max_age$/],
    ['basic /x group=a', /nearest option is groups/],
    ['twilio_sms /x max_age=15', /^max_age=15 is no duration such as 30s, 15m or 8h$/],
    ['twilio_sms /x max_age=', /no duration/],
    ['twilio_sms /x max_age=0s', /no duration/],
    ['twilio_sms /x max_age=1m max_age=2m', /given twice/],
    ['basic /x max_age=5m', /needs twilio_sms, not basic/],
    ['public /x max_age=5m', /not public/],
    ['deny /x max_age=5m', /not deny/],
    ['basic /x signed_in_within=59s', /^signed_in_within=59s is too short .*at least 1m$/],
    ['basic /x signed_in_within=soon', /^signed_in_within=soon is no duration such as/],
    ['public /x signed_in_within=1h', /people sign in for, not public/],
    ['deny /x signed_in_within=1h', /people sign in for, not deny/],
    ['basic /x signed_in=1h', /nearest option is signed_in_within/],
    ['public /x groups=hr', /people sign in for, not public/],
    ['deny /x groups=hr', /not deny/],
    ['basic /x groups=', /empty name/],
    ['basic /x groups=a,,b', /empty name/],
    ['basic /x groups=a,', /empty name/],
    ['basic /x groups=""', /empty name/],
    ['basic /x Bearer', /^Bearer is written bearer, without a value$/],
    ['basic /x bearer=jwt', /^bearer=jwt is written bearer/],
    ['basic bearer /x bearer', /^bearer is given twice$/],
    ['basic bearer', /names no path/],
    ['public /x bearer', /^bearer needs a rule that people sign in for, not public$/],
    ['deny /x bearer', /not deny$/],
    ['basic /x beare', /^beare is no path/],
    ['basic "/x', /never closed/],
    ['basic /x # note', /^a comment needs a line of its own$/],
    ['basic /a//b', /can never match: requests with \/\//],
    ['basic /a/../b', /can never match: .*\.\./],
    ['basic /a/.', /can never match/],
    ['basic /a\\b', /can never match: .*backslash/],
    ['basic "/a;b"', /can never match: .*parameters/],
    ['basic /a?b', /can never match: .*query/],
    ['basic /a#b', /can never match/],
    ['basic /a%20b', /can never match: .*decoded/],
    ['basic /_stepgate/**', /can never match: \/_stepgate\//],
    ['basic /x**', /within a segment write \*$/],
  ]
  for (const [text, expected] of cases) {
    test(text, () => {
      assert.match(problemOf(text), expected)
    })
  }

  test('with the line and the statement, in the order of the lines', () => {
    const { problems } = parse('# c\n\nbasic /a; basci /b\nbasic /c\ndeny /a;basic c')
    assert.deepEqual(
      problems.map(({ line, source }) => [line, source]),
      [
        [3, 'basci /b'],
        [5, 'basic c'],
        [5, 'deny /a'],
      ],
    )
  })

  test('a comment behind a semicolon hides nothing in silence', () => {
    assert.equal(parse('basic /a; # note; deny /b').problems.length, 1)
  })

  test('never by throwing', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        'basic',
        'deny',
        'twilio_sms',
        ' ',
        '/',
        '**',
        '*',
        ';',
        '\n',
        '"',
        '[',
        ']:',
      ),
      fc.constantFrom('POST,', ' groups=', ' max_age=', '5m', 'a.b/', '#', '%', ','),
    )
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, (rules) => {
        for (const { line } of parse(rules).problems) assert.ok(line >= 1)
      }),
      { numRuns: 2000 },
    )
  })
})
