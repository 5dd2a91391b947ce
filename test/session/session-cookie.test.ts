import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import {
  clearSessionCookie,
  readSessionCookie,
  SessionTooLargeError,
  writeSessionCookie,
} from '../../proxy/session/session-cookie.ts'
import { createSessionReader } from '../../proxy/session/session-reader.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { HOUR, NOW, sampleSession } from './session-sample.ts'

const NAME = '__Host-stepgate'
const SETTINGS = { publicUrl: new URL('https://app.example.com') }
const sealer = createSealer(['a secret for the tests of sessions'])
const keptGroups = createKeptGroups({ store: createMemoryStore(), sealer, lifetime: 12 * HOUR })
const reader = createSessionReader({
  sealer,
  keptGroups,
  limits: { idle: HOUR, lifetime: 12 * HOUR },
  isRevoked: () => false,
})

/** What a browser does with `Set-Cookie` values; answers with its Cookie header. */
function createBrowser() {
  const jar = new Map<string, string>()
  return {
    jar,
    header: () => [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
    receive(lines: readonly string[]) {
      for (const line of lines) {
        assert.ok(line.length <= 4096, `${line.length} bytes`)
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (line.includes('Max-Age=0')) jar.delete(name)
        else jar.set(name, value)
      }
    },
  }
}

const write = (sealed: string, header?: string) =>
  writeSessionCookie(NAME, sealed, header, SETTINGS)
const groupsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `cn=group-${index},ou=groups,dc=example,dc=com`)

describe('the session cookie', () => {
  it('of a usual session is one cookie that holds the seal itself', async () => {
    const sealed = await reader.seal(sampleSession({ groups: groupsOf(10) }), NOW)
    assert.deepEqual(
      write(sealed).map((line) => line.split(';')[0]),
      [`${NAME}=${sealed}`],
    )
  })

  it('of a person with 50, 300 or 800 groups is one, which names them', async () => {
    for (const count of [50, 300, 800]) {
      const session = sampleSession({ groups: groupsOf(count) })
      const browser = createBrowser()
      browser.receive(write(await reader.seal(session, NOW)))
      assert.deepEqual([...browser.jar.keys()], [NAME])
      const sealed = readSessionCookie(browser.header(), NAME) ?? ''
      assert.deepEqual(await reader.read(sealed, NOW), session)
    }
  })

  it('comes back whole at every length, and is refused in time when it is too long', () => {
    const room = 4096 - `${NAME}.1=; Path=/; HttpOnly; SameSite=Lax; Secure`.length
    const lengths = [1, 2, 3, 4].flatMap((count) =>
      [-3, -2, -1, 0, 1].map((step) => count * room + step),
    )
    for (const length of lengths) {
      const sealed = `F${'e'.repeat(length - 1)}`
      if (length > 4 * room - 2) {
        assert.throws(
          () => write(sealed),
          (error) => {
            assert.ok(error instanceof SessionTooLargeError)
            assert.equal(error.code, 'session_too_large')
            return true
          },
        )
        continue
      }
      const browser = createBrowser()
      browser.receive(write(sealed))
      assert.equal(readSessionCookie(browser.header(), NAME), sealed, `${length}`)
    }
  })

  it('is read rightly when a longer one has left pieces behind', () => {
    const lengths = [15_000, 9_000, 500, 9_000, 500, 15_000]
    const browser = createBrowser()
    for (const [index, length] of lengths.entries()) {
      const sealed = `${index}`.padEnd(length, 'x').replace(/^/, 'F')
      browser.receive(write(sealed).filter((line) => !line.includes('Max-Age=0')))
      assert.equal(readSessionCookie(browser.header(), NAME), sealed)
    }
    assert.equal(browser.jar.size, 4)
  })

  it('removes the pieces that it no longer needs, and only those that are there', () => {
    const browser = createBrowser()
    browser.receive(write('x'.repeat(15_000)))
    assert.equal(browser.jar.size, 4)
    browser.receive(write('x'.repeat(5_000), browser.header()))
    assert.deepEqual([...browser.jar.keys()], [NAME, `${NAME}.1`])
    browser.receive(write('x', browser.header()))
    assert.deepEqual([...browser.jar.keys()], [NAME])
    assert.equal(write('x', browser.header()).length, 1)
  })

  it('is none when a piece is missing or was planted twice', () => {
    const browser = createBrowser()
    browser.receive(write('x'.repeat(9_000)))
    assert.equal(browser.jar.size, 3)
    const header = browser.header()
    assert.equal(readSessionCookie(`${header}; ${NAME}.1=evil`, NAME), undefined)
    browser.jar.delete(`${NAME}.1`)
    assert.equal(readSessionCookie(browser.header(), NAME), undefined)
  })

  it('is none or rubbish, and no error, when it says a wrong number of pieces', () => {
    for (const first of ['0.x', '1.x', '5.x', '9.x', '99999999.x', '-1.x', '2', '.']) {
      const header = `${NAME}=${first}; ${NAME}.1=y`
      assert.equal(readSessionCookie(header, NAME), first)
    }
    assert.equal(readSessionCookie(`${NAME}=2.; ${NAME}.1=y`, NAME), 'y')
    assert.equal(readSessionCookie(`${NAME}=3.x; ${NAME}.1=y`, NAME), undefined)
    assert.equal(readSessionCookie(undefined, NAME), undefined)
  })

  it('goes with all its pieces at sign-out', () => {
    const browser = createBrowser()
    browser.receive(write('x'.repeat(15_000)))
    browser.receive(clearSessionCookie(NAME, browser.header(), SETTINGS))
    assert.equal(browser.jar.size, 0)
    assert.equal(clearSessionCookie(NAME, undefined, SETTINGS).length, 1)
  })
})
