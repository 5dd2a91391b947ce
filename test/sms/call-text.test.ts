import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadPageSet } from '../../proxy/page-set.ts'
import { spokenCode } from '../../proxy/sms/call-text.ts'

const pages = await loadPageSet({ brand: { name: 'Acme' } })
const said = (uiLocales: string, brand = 'Acme', code = '490217') => {
  const { t } = pages.frame({ requestId: 'r', uiLocales })
  return spokenCode({ t, brand, code, host: 'app.example.com:8443' })
}

test('the digits are read one by one, twice, and there are no others', () => {
  const { language, sentences } = said('en')
  assert.equal(language, 'en-US')
  assert.deepEqual(sentences, [
    'Hello. This is Acme. Your code is:',
    '4, 9, 0, 2, 1, 7.',
    'Once more, your code is:',
    '4, 9, 0, 2, 1, 7.',
    'Never tell it to anybody. Goodbye.',
  ])
})

test('in the language of the page, by a voice of that language', () => {
  const { language, sentences } = said('de')
  assert.equal(language, 'de-DE')
  assert.equal(sentences[0], 'Guten Tag. Hier ist Acme. Ihr Code lautet:')
  assert.equal(sentences[3], '4, 9, 0, 2, 1, 7.')
})

test('a brand that could be heard as a code, or is none, is not said as it is', () => {
  assert.equal(said('en', 'Bank 123456 AG').sentences[0], 'Hello. This is Bank AG. Your code is:')
  assert.match(said('en', '™').sentences[0] ?? '', /^Hello. This is app\.example\.com\. Your/)
})
