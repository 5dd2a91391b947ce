import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRules } from '../../proxy/policy/parse-rules.ts'

function linesOf(text: string): number[] {
  return parseRules(text, 'app.example.com').problems.map(({ line }) => line)
}

test('a rule below one that matches all of it can never match, and that one is named', () => {
  const { problems } = parseRules('public /a/**\nbasic /b\n\ndeny /a/secret', '')
  assert.deepEqual(problems, [
    {
      line: 4,
      source: 'deny /a/secret',
      problem: '/a/secret can never match: line 1 (public /a/**) matches all of it first',
    },
  ])
})

test('rules that are hidden', () => {
  for (const text of [
    'basic /**\ntwilio_sms POST /x',
    'basic /x\nbasic /x',
    'basic /x\ndeny /X/',
    'basic /x groups=a\nbasic /x groups=b',
    'twilio_sms /x max_age=5m\ntwilio_sms /x',
    'basic GET,POST /x\ndeny POST /x',
    'basic GET /x\ndeny HEAD /x',
    'basic a.example/**\ndeny A.example:80/x',
    'basic /**\ndeny a.example/x',
    'basic /x/**\ndeny /y /x/z',
    'basic /x\nbasic /x groups=hr',
    'basic /x signed_in_within=1h\nbasic /x',
  ]) {
    assert.deepEqual(linesOf(text), [2], text)
  }
  assert.deepEqual(linesOf('basic /**; deny /x'), [1])
})

test('rules that are not hidden', () => {
  for (const text of [
    'basic POST /**\ndeny /x',
    'basic HEAD /x\ndeny GET /x',
    'basic GET,POST /x\ndeny POST,PUT /x',
    'basic a.example/**\ndeny /x',
    'basic a.example/**\ndeny b.example/x',
    'basic /x/*\ndeny /x/**',
    'basic /x\ndeny /x/y',
    'basic /x/**\ndeny /xy',
    'public /a /a',
    'public /a /b\npublic /a /c',
  ]) {
    assert.deepEqual(linesOf(text), [], text)
  }
})

test('a repeated pattern that says something else is reported even beside ones that match', () => {
  assert.deepEqual(linesOf('public /a\nbasic /a /c'), [2])
  assert.deepEqual(linesOf('basic /a signed_in_within=1h\nbasic /a /c'), [2])
  assert.deepEqual(linesOf('basic /a\nbasic /a /c bearer'), [2])
  assert.deepEqual(linesOf('basic /a bearer\nbasic /a /c bearer'), [])
})
