import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  CookieValueError,
  clearCookie,
  cookieNames,
  readCookie,
  serializeCookie,
} from '../../proxy/session/cookies.ts'

const HTTPS = { publicUrl: new URL('https://app.example.com') }
const LOOPBACK = { publicUrl: new URL('http://localhost:8080') }

describe('a cookie that is set', () => {
  it('has a __Host- name and is Secure, but for a loopback http URL', () => {
    assert.deepEqual(cookieNames(HTTPS.publicUrl), {
      session: '__Host-stepgate',
      browser: '__Host-stepgate-browser',
      resume: '__Host-stepgate-resume',
    })
    assert.deepEqual(cookieNames(LOOPBACK.publicUrl), {
      session: 'stepgate',
      browser: 'stepgate-browser',
      resume: 'stepgate-resume',
    })
    assert.equal(cookieNames(new URL('https://localhost:8443')).session, '__Host-stepgate')
  })

  it('is for this host and all paths, not for scripts, other sites or longer than the browser', () => {
    assert.equal(
      serializeCookie('__Host-stepgate', 'Fe26.2*1~2', HTTPS),
      '__Host-stepgate=Fe26.2*1~2; Path=/; HttpOnly; SameSite=Lax; Secure',
    )
    assert.equal(
      serializeCookie('stepgate', 'x', LOOPBACK),
      'stepgate=x; Path=/; HttpOnly; SameSite=Lax',
    )
  })

  it('is removed under the same attributes', () => {
    assert.equal(
      clearCookie('__Host-stepgate', HTTPS),
      '__Host-stepgate=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0',
    )
  })

  it('never holds a character that would end it', () => {
    for (const value of ['a;b', 'a b', 'a,b', '"a"', 'a\\b', 'a\r\nSet-Cookie: b', 'ü', '\0']) {
      assert.throws(
        () => serializeCookie('n', value, HTTPS),
        (error) => {
          assert.ok(error instanceof CookieValueError)
          assert.equal(error.code, 'cookie_value')
          assert.ok(!error.message.includes(value))
          return true
        },
      )
    }
  })
})

describe('a cookie that is read', () => {
  const read = (header: string | undefined) => readCookie(header, 'n')

  it('is found wherever it stands', () => {
    for (const header of [
      'n=v',
      ' n=v ',
      'a=b; n=v',
      'n=v; a=b',
      'a=b;n=v;c=d',
      'a=b;\tn=v;',
      ';;n=v',
    ]) {
      assert.equal(read(header), 'v', header)
    }
    assert.equal(read('a=b; n=v; c=d'), 'v')
    assert.equal(read('n=a=b=='), 'a=b==')
  })

  it('is not confused with another one', () => {
    const others = [
      '',
      'n',
      'n;',
      'nn=v',
      'N=v',
      'xn=v',
      'n.1=v',
      'a=n=v',
      'a="; n"',
      '=n=v',
      'n =v',
      'n=',
    ]
    for (const header of others) assert.equal(read(header), undefined, header)
    assert.equal(read(undefined), undefined)
  })

  it('counts as none when two of its name differ, and as one when they do not', () => {
    assert.equal(read('n=v; n=w'), undefined)
    assert.equal(read('n=v; a=b; n='), undefined)
    assert.equal(read('n=; n=v'), undefined)
    assert.equal(read('n=v; n=v; n=w'), undefined)
    assert.equal(read('n=v; a=b; n=v'), 'v')
  })

  it('comes back as it was set, among any others', () => {
    const octet = fc.constantFrom(...'abz09=.*~-_!#%&')
    const value = fc.string({ unit: octet, minLength: 1, maxLength: 20 })
    const others = fc.array(fc.tuple(fc.constantFrom('a', 'nn', 'n.1', 'm'), value))
    fc.assert(
      fc.property(value, others, others, (sent, before, after) => {
        const pairs = [...before, ['n', sent], ...after]
        const set = serializeCookie('n', sent, HTTPS).split(';')[0]
        const header = pairs.map(([key, text]) => (key === 'n' ? set : `${key}=${text}`)).join('; ')
        assert.equal(read(header), sent)
      }),
    )
  })
})
