import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreams } from '../../proxy/config/parse-upstreams.ts'
import { compileUpstreams } from '../../proxy/upstream/pick-upstream.ts'

const TEXT = `
  app.example.com → http://app
  app.example.com/api → http://app-api
  /api → http://api
  /api/v2/** → http://api2
  /Straße → http://street
  http://rest
`

function picker(text: string) {
  const { upstreams, problems } = parseUpstreams(text, 'app.example.com')
  assert.deepEqual(problems, [])
  const pick = compileUpstreams(upstreams)
  return (hosts: readonly [string, ...string[]], ...paths: [string, ...string[]]) => {
    const address = pick([...hosts], paths)?.addresses[0]
    return address?.kind === 'tcp' ? address.origin.host : undefined
  }
}

test('the longest path wins, a host before any path, and a path covers what is below it alone', () => {
  const pick = picker(TEXT)
  for (const [host, path, expected] of [
    ['other.example.com', '/', 'rest'],
    ['other.example.com', '/apis', 'rest'],
    ['other.example.com', '/api', 'api'],
    ['other.example.com', '/api/', 'api'],
    ['other.example.com', '/api/v1/x', 'api'],
    ['other.example.com', '/api/v2', 'api2'],
    ['other.example.com', '/api/v2/x', 'api2'],
    ['other.example.com', '/api/v20', 'api'],
    ['other.example.com', '/straße/1', 'street'],
    ['app.example.com', '/', 'app'],
    ['app.example.com', '/api/v2', 'app-api'],
  ] as const) {
    assert.equal(pick([host], path), expected, `${host}${path}`)
  }
})

test('the Host counts before one that a proxy forwards, which counts where the other is unknown', () => {
  const pick = picker(TEXT)
  assert.equal(pick(['app.example.com', 'other.example.com'], '/'), 'app')
  assert.equal(pick(['balancer', 'app.example.com'], '/api/v2'), 'app-api')
  const two = picker('a.example.com → http://a\nb.example.com → http://b')
  assert.equal(two(['a.example.com', 'b.example.com'], '/'), 'a')
  assert.equal(two(['c.example.com'], '/'), undefined)
})

test('a path that can be read as two upstreams leads to none, and parameters make no difference', () => {
  const pick = picker(TEXT)
  assert.equal(pick(['x.example.com'], '/api/x', '/api;a=1/x'), 'api')
  assert.equal(pick(['x.example.com'], '/api/x', '/api%2fx'), undefined)
  assert.equal(pick(['x.example.com'], '/what?/api', '/what'), 'rest')
})

test('one upstream for everything is that, whatever is asked', () => {
  assert.equal(picker('http://only')(['x'], '/a', '/b'), 'only')
  assert.equal(picker('/a → http://only')(['x'], '/b'), undefined)
})
