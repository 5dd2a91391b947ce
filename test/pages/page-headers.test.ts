import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contentSecurityPolicy, pageHeaders } from '../../pages/page-headers.ts'

const directives = (csp: string) =>
  new Map(csp.split('; ').map((part) => [part.split(' ', 1)[0], part]))

describe('content security policy', () => {
  it('allows nothing inline, nothing from elsewhere and no frame around it', () => {
    const csp = contentSecurityPolicy({})
    assert.doesNotMatch(csp, /unsafe|\*|http/)
    assert.equal(directives(csp).get('default-src'), "default-src 'none'")
    assert.equal(directives(csp).get('script-src'), "script-src 'self'")
    assert.equal(directives(csp).get('style-src'), "style-src 'self'")
    assert.equal(directives(csp).get('img-src'), "img-src 'self'")
    assert.equal(directives(csp).get('form-action'), "form-action 'self'")
    assert.equal(directives(csp).get('base-uri'), "base-uri 'none'")
    assert.equal(directives(csp).get('frame-ancestors'), "frame-ancestors 'none'")
  })

  it('allows the logo’s origin, or data, for images alone', () => {
    const remote = contentSecurityPolicy({ logo: 'https://cdn.example/a;b/logo.svg?x=1' })
    assert.equal(directives(remote).get('img-src'), "img-src 'self' https://cdn.example")
    assert.equal(remote.match(/cdn/g)?.length, 1)
    const data = contentSecurityPolicy({ logo: 'data:image/png;base64,AA==' })
    assert.equal(directives(data).get('img-src'), "img-src 'self' data:")
    assert.equal(data.match(/data:/g)?.length, 1)
  })

  it('takes no directive from a logo that is none', () => {
    const csp = contentSecurityPolicy({ logo: "https://; script-src 'unsafe-inline'" })
    assert.equal(csp, contentSecurityPolicy({}))
    assert.equal(
      contentSecurityPolicy({ logo: '/_stepgate/assets/logo.svg?v=1' }),
      contentSecurityPolicy({}),
    )
  })

  it('lets forms redirect to the origins that are named', () => {
    const csp = contentSecurityPolicy({}, ['https://idp.example'])
    assert.equal(directives(csp).get('form-action'), "form-action 'self' https://idp.example")
  })
})

describe('page headers', () => {
  it('keep a page out of every cache and frame', () => {
    const headers = pageHeaders(contentSecurityPolicy({}))
    assert.equal(headers['Cache-Control'], 'no-store')
    assert.equal(headers['X-Frame-Options'], 'DENY')
    assert.equal(headers['X-Content-Type-Options'], 'nosniff')
    assert.match(headers['Content-Security-Policy'] ?? '', /frame-ancestors 'none'/)
  })

  it('let browsers name the origin of our own forms', () => {
    assert.equal(pageHeaders('')['Referrer-Policy'], 'same-origin')
  })
})
