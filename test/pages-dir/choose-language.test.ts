import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseLanguage } from '../../proxy/pages-dir/choose-language.ts'

const AVAILABLE = ['de', 'en', 'pt-BR', 'zh-Hant']
const browser = (acceptLanguage: string) => chooseLanguage(AVAILABLE, { acceptLanguage })

describe('choosing a language', () => {
  it('follows ui_locales first, in its order', () => {
    assert.equal(chooseLanguage(AVAILABLE, { uiLocales: 'fr de en', acceptLanguage: 'en' }), 'de')
  })

  it('goes on with Accept-Language when ui_locales names nothing that there is', () => {
    assert.equal(chooseLanguage(AVAILABLE, { uiLocales: 'fr it', acceptLanguage: 'de' }), 'de')
  })

  it('weighs Accept-Language', () => {
    assert.equal(browser('en;q=0.5, de;q=0.8'), 'de')
    assert.equal(browser('fr, en;q=0.3, de ; Q=0.9'), 'de')
    assert.equal(browser('de, en'), 'de')
    assert.equal(browser('en, de'), 'en')
  })

  it('never chooses what has weight 0 or a weight that is none', () => {
    assert.equal(browser('de;q=0, fr'), 'en')
    assert.equal(browser('de;q=7, pt;q=0.1'), 'pt-BR')
    assert.equal(browser('de;q=x'), 'en')
  })

  it('is content with a language for a country, and the other way round', () => {
    assert.equal(browser('de-AT'), 'de')
    assert.equal(browser('DE-at'), 'de')
    assert.equal(browser('pt'), 'pt-BR')
    assert.equal(browser('pt-PT'), 'pt-BR')
    assert.equal(browser('zh-Hant-TW'), 'zh-Hant')
  })

  it('is English for everything else', () => {
    for (const header of [
      '',
      '*',
      'xx',
      ';;,,;q',
      '../../etc/passwd',
      '__proto__',
      'd',
      '\u0000',
    ]) {
      assert.equal(browser(header), 'en', header)
    }
    assert.equal(chooseLanguage(AVAILABLE, {}), 'en')
  })

  it('reads no more of an endless header than anybody means', () => {
    assert.equal(browser(`${'fr,'.repeat(400)}de`), 'en')
  })
})
