import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bindBrowser, readBrowserCookies } from '../../proxy/sign-in/browser-cookies.ts'
import { countingRandom } from './parts.ts'

const A = 'a'.repeat(43)
const B = 'b'.repeat(43)
const C = 'c'.repeat(43)
const NAME = '__Host-stepgate-browser'

describe('the browser cookies of a request', () => {
  const valuesOf = (header: string | undefined) =>
    readBrowserCookies(header, NAME).map(({ value }) => value)

  it('come in the order in which the browser got those of single tabs, the last tab’s at the end', () => {
    const header = `${NAME}=${B}; x=y; ${NAME}.9=${A}; ${NAME}.10=${B};${NAME}.2=${C}`
    assert.deepEqual(readBrowserCookies(header, NAME), [
      { name: `${NAME}.9`, value: A },
      { name: `${NAME}.10`, value: B },
      { name: `${NAME}.2`, value: C },
      { name: NAME, value: B },
    ])
    assert.deepEqual(valuesOf(`${NAME}=${A}`), [A])
  })

  it('are none where none is ours', () => {
    for (const header of [
      '',
      `x=${NAME}.1=${A}`,
      `x${NAME}.1=${A}`,
      `x=y ${NAME}.1=${A}`,
      `${NAME}.=${A}`,
      `${NAME}.1a=${A}`,
      `${NAME}.a1=${A}`,
      `${NAME}x1=${A}`,
      `${NAME}-1=${A}`,
      `${NAME}.1`,
      ...['', 'short', `${A}b`, `${A.slice(1)}é`, `"${A}"`].flatMap((value) => [
        `${NAME}.1=${value}`,
        `${NAME}=${value}`,
      ]),
    ]) {
      assert.deepEqual(valuesOf(header), [], header)
    }
    assert.deepEqual(valuesOf(undefined), [])
  })

  it('leave out one of which there are two: one of them was planted', () => {
    assert.deepEqual(valuesOf(`${NAME}.1=${A}; ${NAME}.1=${B}; ${NAME}.2=${C}`), [C])
    assert.deepEqual(valuesOf(`${NAME}.1=${A}; ${NAME}.1=${A}`), [A])
    assert.deepEqual(valuesOf(`${NAME}=${A}; ${NAME}=${B}; ${NAME}.2=${C}`), [C])
  })

  it('are no more than twenty and the last, however many a header has', () => {
    const tabs = Array.from({ length: 2000 }, (_, tab) => `${NAME}.${tab}=${tab < 20 ? A : B}`)
    const values = valuesOf([...tabs, `${NAME}=${C}`].join('; '))
    assert.deepEqual(values, [...Array.from({ length: 20 }, () => A), C])
    // Empty ones count: looking for them costs as much.
    const empty = Array.from({ length: 2000 }, (_, tab) => `${NAME}.${tab}=`)
    assert.deepEqual(valuesOf([...empty, `${NAME}.9999=${A}`, `${NAME}=${C}`].join(';')), [C])
  })
})

describe('a browser without such a cookie', () => {
  it('gets one that the next tab may overwrite, and the same under a name of this tab alone', () => {
    const publicUrl = new URL('https://app.example.com')
    const set = bindBrowser(NAME, A, countingRandom(), { publicUrl })
    const attributes = 'Path=/; HttpOnly; SameSite=Lax; Secure'
    assert.deepEqual(set, [`${NAME}=${A}; ${attributes}`, `${NAME}.77777777=${A}; ${attributes}`])
  })
})
