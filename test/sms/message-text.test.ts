import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMessages, translator } from '../../proxy/pages-dir/messages.ts'
import { type CodeSentence, codeMessage } from '../../proxy/sms/message-text.ts'
import { smsSegments } from '../../proxy/sms/segments.ts'

const english: CodeSentence = (key, { brand, code, count }) => {
  const valid = count === 1 ? '1 minute' : `${count} minutes`
  const time = key === 'sms.text-soon' ? 'less than a minute' : valid
  return `${brand} code ${code}. Valid for ${time}. Never share it.`
}

const russian: CodeSentence = (_key, { brand, code, count }) =>
  `${brand}: код ${code}. Действует ${count} мин. Никому не сообщайте.`

const contoso = {
  t: english,
  brand: 'Contoso',
  code: '123456',
  validFor: 300_000,
  host: 'a.example',
}

test('says brand, code and minutes, and binds the code to the host in the last line', () => {
  assert.equal(
    codeMessage(contoso),
    'Contoso code 123456. Valid for 5 minutes. Never share it.\n@a.example #123456',
  )
})

test('leaves the port out, as browsers read a host only', () => {
  assert.ok(codeMessage({ ...contoso, host: 'localhost:8080' }).endsWith('\n@localhost #123456'))
  assert.ok(codeMessage({ ...contoso, host: '[::1]:8080' }).endsWith('\n@[::1] #123456'))
})

test('never claims that a code is valid for longer than it is', () => {
  const claims = (validFor: number) => codeMessage({ ...contoso, validFor }).split('. ')[1]
  assert.equal(claims(299_999), 'Valid for 4 minutes')
  assert.equal(claims(120_000), 'Valid for 2 minutes')
  assert.equal(claims(119_999), 'Valid for 1 minute')
  assert.equal(claims(60_000), 'Valid for 1 minute')
  assert.equal(claims(59_999), 'Valid for less than a minute')
})

test('says no more than it can where a language has no sentence for the last minute', () => {
  const t: CodeSentence = (key, values) => (key === 'sms.text-soon' ? key : english(key, values))
  const text = codeMessage({ ...contoso, t, validFor: 59_999 })
  assert.ok(text.startsWith('Contoso code 123456. Valid for 0 minutes.'))
})

test('is one segment in every language that stepgate speaks', async () => {
  const folder = new URL('../../pages/locales/', import.meta.url)
  for (const file of await readdir(folder)) {
    const messages = parseMessages(await readFile(new URL(file, folder), 'utf8'))
    assert.ok(!('problem' in messages))
    const t = translator(file.replace('.json', ''), messages, new Map())
    const host = `${'h'.repeat(32)}.example`
    const text = codeMessage({ ...contoso, t, host, code: '12345678' })
    assert.match(text, /Contoso.*12345678.*5/, file)
    assert.deepEqual([smsSegments(text).encoding, smsSegments(text).segments], ['gsm-7', 1], file)
  }
})

test('spells a brand in GSM-7 so that it costs no segment', () => {
  const brands = {
    'Zażółć Ltd': 'Zazólc Ltd',
    'Müller & Söhne': 'Müller & Söhne',
    'Œuvre “Łódź” – Straße': 'OEuvre "Lódz" - Straße',
    'Acme™ 🚀 Cloud®': 'Acme Cloud',
    Façade: 'Facade',
  }
  for (const [brand, spelled] of Object.entries(brands)) {
    // ó is the one of these that GSM-7 lacks and that decomposes.
    const plain = spelled.replaceAll('ó', 'o')
    assert.equal(codeMessage({ ...contoso, brand }).split(' code ')[0], plain)
  }
})

test('names the host where a brand has letters that GSM-7 cannot spell', () => {
  for (const brand of ['株式会社', 'Ελλάδα', 'ΔΕΗ', 'Газпром', '🚀', '', '@#\n']) {
    assert.ok(codeMessage({ ...contoso, brand }).startsWith('a.example code 123456.'), brand)
  }
})

test('keeps a brand in its own letters where the language is not GSM-7 anyway', () => {
  assert.ok(codeMessage({ ...contoso, t: russian, brand: 'Ромашка' }).startsWith('Ромашка: код'))
})

test('cuts a long brand so that the text stays one segment', () => {
  const text = codeMessage({ ...contoso, brand: 'Contoso International Holdings '.repeat(8) })
  assert.deepEqual(smsSegments(text), { encoding: 'gsm-7', units: 160, segments: 1 })
  assert.ok(text.startsWith('Contoso International Holdings Contoso'))
  assert.ok(text.endsWith('Never share it.\n@a.example #123456'))
})

test('a brand can neither bind the code to another host nor look like a code', () => {
  const brand = 'Evil\r\n@evil.example #999999\u2028\u202e 654 321 and 65-43-21 Bank 24'
  const text = codeMessage({ ...contoso, brand })
  assert.equal(text.split('\n').length, 2)
  assert.equal(text.split('@').length, 2)
  assert.deepEqual(text.match(/\d{5,}/g), ['123456', '123456'])
  assert.equal(text.split(' code ')[0], 'Evil evil.example and Bank 24')
})

test('digits of other scripts are digits too', () => {
  const text = codeMessage({ ...contoso, t: russian, brand: 'Банк ٦٥٤٣٢١ ６５４３２１' })
  assert.ok(text.startsWith('Банк: код 123456'))
})

test('whatever the brand, the text is one segment with one code line', () => {
  // Chromium's parser takes the first of these in the text.
  const bound = /(?:^|\s)@([a-zA-Z0-9.-]+) #([^#\s]+)/
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (brand) => {
      const text = codeMessage({ ...contoso, brand })
      assert.deepEqual([smsSegments(text).encoding, smsSegments(text).segments], ['gsm-7', 1])
      assert.deepEqual(bound.exec(text)?.slice(1), ['a.example', '123456'])
      assert.equal(text.split('\n').length, 2)
    }),
  )
})

test('a brand is cut where it would cost a segment, but its first eleven letters are worth one', () => {
  const brandBefore = (hostLength: number) => {
    const host = `${'a'.repeat(hostLength - 8)}.example`
    const text = codeMessage({ ...contoso, host, brand: 'Contoso Holdings' })
    return [text.split(' code ')[0], smsSegments(text).segments]
  }
  assert.deepEqual(brandBefore(84), ['Contoso Holdings', 1])
  assert.deepEqual(brandBefore(86), ['Contoso Holdin', 1])
  assert.deepEqual(brandBefore(89), ['Contoso Hol', 1])
  assert.deepEqual(brandBefore(90), ['Contoso Holdings', 2])
})

test('a host that alone is too long for one segment is kept whole, and the brand adds none', () => {
  const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
  const text = codeMessage({ ...contoso, host, brand: 'Contoso '.repeat(60) })
  assert.ok(text.endsWith(`\n@${host} #123456`))
  assert.equal(smsSegments(text).segments, 2)
})
