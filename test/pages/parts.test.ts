import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PageFrame } from '../../pages/page.ts'
import { duration, remaining } from '../../pages/parts/duration.ts'
import { localPath } from '../../pages/parts/local-path.ts'
import { foreign, sentence } from '../../pages/parts/sentence.ts'
import { supportContact } from '../../pages/parts/support-contact.ts'

const show = async (contact: string) => String(await supportContact(contact))
const frame = (lang: string, text = ''): PageFrame => ({
  t: (_, values = {}) => text.replace(/\{(\w+)\}/g, (_place, name: string) => String(values[name])),
  lang,
  dir: 'ltr',
  brand: { name: 'Acme' },
  requestId: 'r',
  asset: (name) => name,
})

describe('support contact', () => {
  it('links an e-mail address, a web address and a phone number', async () => {
    assert.equal(
      await show('it@acme.example'),
      '<a href="mailto:it@acme.example">it@acme.example</a>',
    )
    assert.match(
      await show('https://help.example/a?b=1&c=2'),
      /^<a href="https:\/\/help\.example\/a\?b=1&amp;c=2" /,
    )
    assert.match(await show('0800 123 456'), /^<a href="tel:0800123456">/)
    assert.match(await show('+49 (30) 123-45'), /^<a href="tel:\+493012345">/)
  })

  it('links them within a sentence, and leaves its full stop outside', async () => {
    const shown = await show(
      'Call +49 30 1234567, write to it@acme.example or see https://a.example/x.',
    )
    assert.equal(shown.match(/<a /g)?.length, 3)
    assert.match(shown, /^Call <a .*>, write to <a .* or see <a [^>]*>a\.example\/x<\/a>\.$/)
  })

  it('leaves a sentence without any as it is', async () => {
    assert.equal(await show('Room 4.12, 9–17 h'), 'Room 4.12, 9–17 h')
  })

  it('makes no link of any other scheme, and none that hides where it leads', async () => {
    for (const contact of [
      'javascript:alert(1)',
      'data:text/html,x',
      'https://bank.example@evil.example/',
    ]) {
      const links = [...(await show(contact)).matchAll(/href="([^"]*)"/g)].map(([, href]) => href)
      assert.deepEqual(
        links.filter((href) => !href?.startsWith('mailto:')),
        [],
        contact,
      )
    }
  })

  it('lets nothing out of the address of a link', async () => {
    const shown = await show('https://a.example/"onmouseover="x <b>it@acme.example</b>')
    assert.doesNotMatch(shown, /<b>|"onmouseover/)
  })
})

describe('paths in links', () => {
  it('stay as they are when a browser keeps them on this host', () => {
    const paths = ['/', '/a/b?c=d&e=%2F#f', '/ä', '/a//b', '/?\\\\e.example', '/a?b=C:\\d', '/a#\\']
    for (const path of paths) assert.equal(localPath(path), path)
  })

  it('become the start page otherwise', () => {
    const others = [
      '',
      'a',
      '//e.example',
      '/\\e',
      '\\\\e',
      '/\t/e',
      '/a\nb',
      'https://e.example',
      'javascript:x',
      ' /a',
      '/a b',
      '/a\\b',
      '/a\\?b',
      '/a?b\nc',
      '/a#b c',
      '/\u0000',
    ]
    for (const path of others) assert.equal(localPath(path), '/', JSON.stringify(path))
  })
})

describe('sentences with markup', () => {
  it('put it where the language has the place, with everything around it escaped', async () => {
    const shown = await sentence(frame('en', '<{a}> as {b}!'), 'key', 'b', foreign('<x>'), {
      a: '&',
    })
    assert.equal(String(shown), '&lt;&amp;&gt; as <bdi>&lt;x&gt;</bdi>!')
  })

  it('are not led astray by values that look like a place', async () => {
    const shown = await sentence(frame('en', '{a} {b}'), 'key', 'b', foreign('x'), {
      a: '{b}\uE000',
    })
    assert.equal(String(shown), '{b} <bdi>x</bdi>')
  })
})

describe('durations', () => {
  it('are rounded up when somebody has to wait', () => {
    assert.deepEqual(
      [0, 1, 28.2, 89, 90, 121, 3600, 86_400].map((s) => duration(frame('en'), s)),
      [
        '1 second',
        '1 second',
        '29 seconds',
        '89 seconds',
        '2 minutes',
        '3 minutes',
        '60 minutes',
        '24 hours',
      ],
    )
    assert.equal(duration(frame('de'), 300), '5 Minuten')
  })

  it('are rounded down when something ends', () => {
    assert.deepEqual(
      [300, 299, 61, 59.9, 0].map((s) => remaining(frame('en'), s)),
      ['5 minutes', '4 minutes', '1 minute', '59 seconds', '1 second'],
    )
  })
})
