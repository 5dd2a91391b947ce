import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { before, describe, it } from 'node:test'
import type { PageName } from '../../pages/page-props.ts'
import { SAMPLES } from '../../pages/samples.ts'
import { loadPageSet } from '../../proxy/page-set.ts'
import {
  checkMessages,
  type Message,
  type Messages,
  parseMessages,
} from '../../proxy/pages-dir/messages.ts'

const DIR = new URL('../../pages/locales/', import.meta.url)
// The text message and what is said in a call are composed elsewhere.
const NOT_ON_PAGES = /^(sms|voice|step-up)\./

describe('locales', () => {
  const locales = new Map<string, Messages>()
  let english: Messages

  before(async () => {
    for (const name of await readdir(DIR)) {
      const messages = parseMessages(await readFile(new URL(name, DIR), 'utf8'))
      assert.ok(!('problem' in messages), name)
      locales.set(name.replace('.json', ''), messages)
    }
    english = locales.get('en') ?? new Map()
  })

  it('are English and German at least', () => {
    assert.ok(locales.has('en') && locales.has('de'))
  })

  it('have the same keys in the same order, with the same places', () => {
    for (const [lang, messages] of locales) {
      assert.deepEqual([...messages.keys()], [...english.keys()], lang)
      assert.equal(checkMessages(messages, english), undefined, lang)
    }
  })

  it('have every plural form that their language tells apart', () => {
    for (const [lang, messages] of locales) {
      const categories = new Intl.PluralRules(lang).resolvedOptions().pluralCategories.toSorted()
      for (const [key, message] of messages) {
        if (typeof message === 'string') continue
        assert.deepEqual(Object.keys(message).toSorted(), categories, `${lang} ${key}`)
      }
    }
  })

  it('translate every sentence', () => {
    const same = new Set(['common.page-title'])
    for (const [key, message] of locales.get('de') ?? []) {
      if (!same.has(key)) assert.notDeepEqual(message, english.get(key), key)
    }
  })

  it('hold what the pages ask for and nothing else', async () => {
    const used = new Set<string>()
    const pages = await loadPageSet({ brand: { name: 'Acme', supportContact: 'x' } })
    const { loadPages } = await import('../../proxy/pages-dir/load-pages.ts')
    const renderers = await loadPages(new URL('../../pages', import.meta.url).pathname, undefined)
    const frame = pages.frame({ requestId: 'r' })
    const t = (key: string, values = {}) => {
      used.add(key)
      return frame.t(key, values)
    }
    for (const name of Object.keys(SAMPLES) as PageName[]) {
      for (const { props } of SAMPLES[name]) {
        const render = renderers[name] as (frame: unknown, props: unknown) => unknown
        await render({ ...frame, t }, props)
      }
    }
    const onPages = [...english.keys()].filter((key) => !NOT_ON_PAGES.test(key))
    assert.deepEqual([...used].toSorted(), onPages.toSorted())
  })

  it('fit the text message into one segment of GSM-7', () => {
    const gsm = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/
    for (const [lang, messages] of locales) {
      for (const text of formsOf(messages.get('sms.text') ?? '')) {
        const filled = text
          .replace('{brand}', 'B'.repeat(30))
          .replace('{code}', '12345678')
          .replace('{count}', '10')
        const sms = `${filled}\n\n@${'h'.repeat(40)} #12345678`
        assert.match(sms, gsm, lang)
        assert.ok(sms.length <= 160, lang)
      }
    }
  })
})

function formsOf(message: Message): string[] {
  return typeof message === 'string' ? [message] : Object.values(message)
}
