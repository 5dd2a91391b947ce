import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkMessages,
  type Messages,
  parseMessages,
  translator,
} from '../../proxy/pages-dir/messages.ts'

const read = (value: unknown): Messages => {
  const messages = parseMessages(JSON.stringify(value))
  assert.ok(!('problem' in messages))
  return messages
}
const english = read({
  'a.plain': 'Hello {name}',
  'a.only': 'English',
  'a.count': { one: 'one', other: '{count} of {all}' },
})

describe('sentences', () => {
  const t = translator(
    'ar',
    read({ 'a.plain': 'مرحبا {name}', 'a.count': { two: 'اثنان', other: '{count}' } }),
    english,
  )

  it('are filled in one pass, so that values stay what they are', () => {
    assert.equal(t('a.plain', { name: '{name}$&' }), 'مرحبا {name}$&')
  })

  it('come in English where a language lacks them, and a key that nobody knows as itself', () => {
    assert.equal(t('a.only'), 'English')
    assert.equal(t('a.unknown'), 'a.unknown')
    assert.equal(t('constructor'), 'constructor')
  })

  it('have the plural form of their own language', () => {
    assert.equal(t('a.count', { count: 2 }), 'اثنان')
    assert.equal(t('a.count', { count: 3 }), '3')
    const en = translator('en', english, english)
    assert.equal(en('a.count', { count: 1, all: 5 }), 'one')
    assert.equal(en('a.count', { count: 2, all: 5 }), '2 of 5')
  })

  it('leave a place that has no value', () => {
    assert.equal(t('a.plain', {}), 'مرحبا {name}')
  })
})

describe('sentences from a file', () => {
  it('are refused when they are not sentences by key', () => {
    for (const json of [
      '{',
      '[]',
      'null',
      '"x"',
      '{"a":1}',
      '{"a":{}}',
      '{"a":{"one":"x"}}',
      '{"a":{"other":"x","lots":"y"}}',
      '{"a":{"other":1}}',
    ]) {
      assert.ok('problem' in parseMessages(json), json)
    }
  })

  it('are refused when a place is missing or unknown, in any plural form', () => {
    assert.match(
      checkMessages(read({ 'a.plain': 'Hi' }), english) ?? '',
      /"a\.plain" lacks \{name\}/,
    )
    assert.match(checkMessages(read({ 'a.plain': '{name} {nmae}' }), english) ?? '', /has \{nmae\}/)
    const forms = { one: 'x', other: '{count} {all}' }
    assert.match(checkMessages(read({ 'a.count': forms }), english) ?? '', /lacks \{all\}/)
  })

  it('may leave the number out where the form says it', () => {
    const forms = { one: 'one of {all}', other: '{count} of {all}' }
    assert.equal(checkMessages(read({ 'a.count': forms }), english), undefined)
  })

  it('may have keys of their own, but none that looks misspelt', () => {
    assert.equal(checkMessages(read({ 'mine.title': 'x {y}' }), english), undefined)
    assert.match(checkMessages(read({ 'a.plian': 'x' }), english) ?? '', /"a\.plian" is not a key/)
  })
})
