import { safeBrand } from './plain-brand.ts'
import type { VoiceCall } from './sender.ts'

/**
 * A sentence of the listener's language, as `Translate` of the pages gives it; `voice.language` is
 * the tag of the voice that reads them.
 */
type SpokenSentence = (
  key: 'voice.language' | 'voice.greeting' | 'voice.again' | 'voice.goodbye',
  values?: { brand: string },
) => string

/** `host` is the configured public URL's, said in place of a brand that is empty. */
type SpokenCode = { t: SpokenSentence; brand: string; code: string; host: string }

/** What is said in a call: the code twice, and no other digits but those of the brand. */
export function spokenCode({ t, brand, code, host }: SpokenCode): Omit<VoiceCall, 'to'> {
  const name = safeBrand(brand, code.length) || host.replace(/:\d+$/, '')
  const digits = `${[...code].join(', ')}.`
  return {
    language: t('voice.language'),
    sentences: [
      t('voice.greeting', { brand: name }),
      digits,
      t('voice.again'),
      digits,
      t('voice.goodbye'),
    ],
  }
}
