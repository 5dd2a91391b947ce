import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFields } from '../../proxy/listener/http2-fields.ts'

test('the authority becomes the host, cookies one, and names with a colon go', () => {
  const raw = [':method', 'GET', ':authority', 'a.example', 'x-a', '1', 'cookie', 'a=1']
  const { rawHeaders, headers } = readFields([...raw, 'x-a', '2', 'cookie', 'b=2'], {
    ':method': 'GET',
    ':authority': 'a.example',
    'x-a': '1, 2',
    cookie: 'a=1; b=2',
  })
  assert.deepEqual(rawHeaders, [
    ...['host', 'a.example', 'x-a', '1', 'x-a', '2', 'cookie', 'a=1; b=2'],
  ])
  assert.deepEqual(headers, { host: 'a.example', 'x-a': '1, 2', cookie: 'a=1; b=2' })
})

test('a host stays as it is without an authority, and beside another one', () => {
  const hosts = (authority: string | undefined, ...list: string[]) => {
    const raw = list.flatMap((host) => ['host', host])
    const given = authority === undefined ? {} : { ':authority': authority }
    return readFields(raw, { ...given, host: list[0] }).rawHeaders
  }
  assert.deepEqual(hosts(undefined, 'a'), ['host', 'a'])
  assert.deepEqual(hosts('a', 'a'), ['host', 'a'])
  assert.deepEqual(hosts('a', 'b'), ['host', 'a', 'host', 'b'])
  assert.deepEqual(hosts('a', 'A'), ['host', 'a', 'host', 'A'])
  assert.deepEqual(hosts(undefined, 'a', 'a'), ['host', 'a', 'host', 'a'])
})
