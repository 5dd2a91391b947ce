import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { PageName, PageProps } from '../../pages/page-props.ts'
import { SAMPLES } from '../../pages/samples.ts'
import { loadPageSet, type PageSet } from '../../proxy/page-set.ts'
import type { Channel } from '../../proxy/sms/sender.ts'
import { skeletonOf, textOf } from './markup.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&amp;{brand} javascript:x`
const NAMES = Object.keys(SAMPLES) as PageName[]

// What chooses a sentence is no text; a path is checked by a test of its own.
const NOT_TEXT = new Set([
  'delivery',
  'kind',
  'channel',
  'ways',
  'held',
  'reason',
  'retryUrl',
  'signOutUrl',
  'stayUrl',
  'signInUrl',
  'url',
])

function hostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return NOT_TEXT.has(key) ? value : HOSTILE
  if (Array.isArray(value)) return value.map((item) => hostile(item, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, hostile(item, name)]),
  )
}

describe('pages', () => {
  let pages: PageSet
  const otp = SAMPLES.otp[1]?.props as PageProps['otp']
  const show = <Name extends PageName>(name: Name, props: PageProps[Name]) =>
    pages.render(name, { requestId: 'r-1' }, props)

  before(async () => {
    pages = await loadPageSet({ brand: { name: 'Acme', supportContact: 'it@acme.example' } })
  })

  for (const name of NAMES) {
    it(`shows on "${name}" hostile text as text, in every state`, async () => {
      const brand = { name: HOSTILE, supportContact: HOSTILE, logo: `https://x.example/${HOSTILE}` }
      const attacked = await loadPageSet({ brand })
      const peaceful = await loadPageSet({
        brand: { name: 'Acme', supportContact: 'ask', logo: 'https://x.example/l.svg' },
      })
      for (const { state, props } of SAMPLES[name]) {
        const shown = await attacked.render(name, { requestId: HOSTILE }, hostile(props) as never)
        const plain = await peaceful.render(name, { requestId: 'r' }, props as never)
        assert.equal(skeletonOf(shown), skeletonOf(plain), state)
        assert.doesNotMatch(shown, /<script>|<img src=x/, state)
      }
    })

    it(`leads on "${name}" to no other host, whatever path it is given`, async () => {
      const paths = [
        '//evil.example',
        '/\\evil.example',
        'javascript:alert(1)',
        '/\t/evil.example',
        ' //x',
      ]
      const replaced = (value: unknown, path: string): unknown =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value).map(([key, item]) => [
                key,
                /Url$|^url$/.test(key) ? path : replaced(item, path),
              ]),
            )
          : value
      for (const { props } of SAMPLES[name]) {
        for (const path of paths) {
          const markup = await show(name, replaced(props, path) as never)
          for (const [, url = ''] of markup.matchAll(
            /(?:href|action|content)="(?:0;url=)?([^"]*)"/g,
          )) {
            assert.doesNotMatch(url, /evil|javascript/, `${path} in ${url}`)
          }
        }
      }
    })

    it(`has on "${name}" one heading, a title, a language and nothing inline`, async () => {
      for (const { props } of SAMPLES[name]) {
        const markup = await show(name, props as never)
        assert.equal(markup.match(/<h1>/g)?.length, 1)
        assert.match(markup, /<title>[^<]+ · Acme<\/title>/)
        assert.match(markup, /<html lang="en" dir="ltr">/)
        assert.doesNotMatch(markup, /\sstyle=|\son[a-z]+=|<style|<script(?! type="module" src=)/)
      }
    })
  }

  it('asks for the code with a field that phones fill in', async () => {
    const markup = await show('otp', otp)
    assert.match(markup, /<form method="post" action="\/_stepgate\/otp"/)
    for (const attribute of [
      'name="code"',
      'inputmode="numeric"',
      'autocomplete="one-time-code"',
      'autofocus',
    ]) {
      assert.match(markup, new RegExp(`<input [^>]*${attribute}[^>]*>`))
    }
    assert.match(markup, /role="status"[^>]*>.*Your code is on its way/)
  })

  it('takes the return target and age along in all three forms and in the link to the numbers', async () => {
    const markup = await show('otp', { ...otp, return: { returnTo: '/a?b=1&c=2', maxAge: '60' } })
    assert.equal(markup.match(/name="return_to" value="\/a\?b=1&amp;c=2"/g)?.length, 3)
    assert.equal(markup.match(/name="max_age" value="60"/g)?.length, 3)
    assert.match(
      markup,
      /href="\/_stepgate\/otp\/number\?return_to=%2Fa%3Fb%3D1%26c%3D2&amp;max_age=60"/,
    )
  })

  it('leaves out fields that there are no values for', async () => {
    const markup = await show('otp', { ...otp, return: {} })
    assert.doesNotMatch(markup, /return_to|max_age/)
  })

  it('ties a wrong code to its field, and says so in the title', async () => {
    const markup = await show('otp', { ...otp, notice: { kind: 'wrong', attemptsLeft: 1 } })
    assert.match(markup, /role="alert" id="notice">/)
    assert.match(markup, /<input [^>]*aria-invalid="true" aria-describedby="notice">/)
    assert.match(markup, /<title>Error: /)
    assert.match(textOf(markup), /You have one attempt left\./)
  })

  it('has no field when no code is live, and sends a new one first', async () => {
    const markup = await show('otp', { ...otp, canEnter: false, notice: { kind: 'expired' } })
    assert.doesNotMatch(markup, /name="code"/)
    assert.match(markup, /<button class="button" type="submit"[^>]*>Send a new code<\/button>/)
  })

  it('offers other numbers only to those who have some', async () => {
    assert.match(await show('otp', { ...otp, canChangeNumber: true }), /otp\/number/)
    assert.doesNotMatch(await show('otp', { ...otp, canChangeNumber: false }), /otp\/number/)
  })

  it('lets the resend button work without JavaScript while the wait runs', async () => {
    const markup = await show('otp', { ...otp, resendIn: 30 })
    const button = markup.match(/<button class="button button-quiet"[^>]*>/)?.[0] ?? ''
    assert.match(button, /data-countdown="30"/)
    assert.doesNotMatch(button, /disabled/)
  })

  it('has a sentence of its own for everything that can become of a code', async () => {
    const different = new Set(
      SAMPLES.otp.map(({ props }) => JSON.stringify([props.notice, props.canEnter])),
    )
    const said = await Promise.all(
      SAMPLES.otp.map(async ({ props }) => {
        const alike = { ...props, canChangeNumber: false, ways: ['sms'] }
        const markup = await show('otp', alike as never)
        return markup.match(/class="notice notice-[^>]*>(.*?)<\/div><\/div>/)?.[1]
      }),
    )
    assert.equal(new Set(said).size, different.size)
    assert.equal(said.includes(undefined), false)
  })

  it('says which number a refused press was about, where it is not that of the page', async () => {
    for (const kind of ['wait', 'send-limited', 'prefix-limited', 'budget-spent'] as const) {
      const said = async (chosen: { chosen?: string }) => {
        const notice = { kind, channel: 'sms', seconds: 28, ...chosen } as const
        return textOf(await show('otp', { ...otp, notice }))
      }
      assert.match(await said({ chosen: '07' }), /ending in 42.*ending in 07, which you have just/)
      assert.doesNotMatch(await said({}), /which you have just chosen/)
    }
  })

  it('says to which number a code is being sent', async () => {
    const said = async (channel: Channel) =>
      textOf(await show('otp', { ...otp, channel, notice: { kind: 'sending', channel } }))
    assert.match(await said('sms'), /We are sending your code to the phone number ending in 42/)
    assert.match(await said('call'), /We are calling the phone number ending in 42/)
  })

  it('tells who can’t get messages whom to turn to, but who opted out how to opt in', async () => {
    const said = async (
      reason: 'not_mobile' | 'opted_out',
      canChangeNumber: boolean,
      ways: readonly Channel[] = ['sms'],
    ) =>
      textOf(
        await show('otp', {
          ...otp,
          canChangeNumber,
          ways,
          notice: { kind: 'send-failed', channel: 'sms', reason },
        }),
      )
    assert.match(await said('not_mobile', false), /Ask support to change/)
    assert.match(await said('not_mobile', true), /Choose another phone number/)
    assert.doesNotMatch(await said('opted_out', false), /Ask support|Choose another/)
    assert.match(await said('opted_out', false), /Reply START/)
    assert.match(await said('not_mobile', true, ['call', 'sms']), /But we can call you/)
  })

  it('offers the best way first, and names each by what it does', async () => {
    const buttons = async (props: Partial<PageProps['otp']>) => {
      const markup = await show('otp', { ...otp, resendIn: 0, ...props } as never)
      const forms = markup.matchAll(/action="([^"]+)" data-once>.*?<button([^>]*)>([^<]*)</gs)
      return [...forms].map(([, path, attributes, label]) =>
        [path, /button-quiet/.test(attributes ?? '') ? 'quiet' : 'loud', label].join(' '),
      )
    }
    const [resend, call] = ['/_stepgate/otp/resend', '/_stepgate/otp/call']
    const noCode = { canEnter: false } as const
    const landline: readonly Channel[] = ['call', 'sms']
    assert.deepEqual(await buttons({ ...noCode, ways: ['sms'] }), [
      `${resend} loud Send a new code`,
    ])
    assert.deepEqual(await buttons({ ...noCode, ways: ['sms', 'call'] }), [
      `${resend} loud Send a new code`,
      `${call} quiet Call me instead`,
    ])
    assert.deepEqual(await buttons({ ...noCode, ways: landline }), [
      `${call} loud Call me`,
      `${resend} quiet Text me instead`,
    ])
    assert.deepEqual(await buttons({ ways: ['sms', 'call'] }), [
      `${resend} quiet Send the code again`,
      `${call} quiet Call me instead`,
    ])
    assert.deepEqual(await buttons({ channel: 'call', ways: ['sms', 'call'] }), [
      `${resend} quiet Text me instead`,
      `${call} quiet Call me again`,
    ])
  })

  it('tells two numbers with the same last digits apart', async () => {
    const markup = textOf(await show('choose-number', SAMPLES['choose-number'][1]?.props as never))
    assert.match(markup, /ending in 42 \(no\. 1 on record\).*ending in 42 \(no\. 2 on record\)/)
    assert.match(markup, /ending in 07 (?!\()/)
  })

  it('labels the provider’s words as the provider’s, and cuts endless ones', async () => {
    const props = {
      reason: 'refused',
      retryUrl: '/',
      providerDescription: 'x'.repeat(9999),
    } as const
    const text = textOf(await show('sign-in-failed', props))
    assert.match(text, /What the sign-in service says: x{300}… /)
    assert.doesNotMatch(text, /x{301}/)
  })

  it('goes on by itself only where it is told to', async () => {
    const failed = { reason: 'expired', retryUrl: '/a?b=1' } as const
    assert.doesNotMatch(await show('sign-in-failed', failed), /http-equiv/)
    const retrying = await show('sign-in-failed', { ...failed, autoRetry: true })
    assert.match(retrying, /<meta http-equiv="refresh" content="0;url=\/a\?b=1">/)
  })

  it('shows the request id where something went wrong', async () => {
    for (const name of [
      'unavailable',
      'denied',
      'upstream-down',
      'sign-in-failed',
      'bad-request',
    ] as const) {
      assert.match(
        textOf(await show(name, SAMPLES[name][0]?.props as never)),
        /Reference for support: r-1/,
      )
    }
  })

  it('does not offer to repeat what may have changed something', async () => {
    assert.doesNotMatch(await show('upstream-down', { kind: 'timed-out' }), /Try again/)
  })

  it('signs out by a form, never by a link alone', async () => {
    const markup = await show('confirm-sign-out', { username: 'alice', stayUrl: '/' })
    assert.match(markup, /<form method="post" action="\/_stepgate\/sign-out"/)
  })
})
