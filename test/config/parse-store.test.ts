import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { parseStore } from '../../proxy/config/parse-store.ts'

const REDIS = { kind: 'redis', topology: { kind: 'single' }, database: 0, prefix: 'stepgate' }
const node = (host: string, port: number) => ({ host, port })

for (const [text, store, secrets] of [
  ['sqlite:./data/x.db', { kind: 'sqlite', path: './data/x.db' }, {}],
  [' sqlite:/var/x.db\n', { kind: 'sqlite', path: '/var/x.db' }, {}],
  ['memory:', { kind: 'memory' }, {}],
  ['redis://redis', { ...REDIS, nodes: [node('redis', 6379)] }, {}],
  ['redis://redis:7000/', { ...REDIS, nodes: [node('redis', 7000)] }, {}],
  ['redis://[fd00::1]/3', { ...REDIS, nodes: [node('fd00::1', 6379)], database: 3 }, {}],
  ['rediss://r.example.com', { ...REDIS, nodes: [node('r.example.com', 6379)], tls: {} }, {}],
  [
    'redis://:p%40:%2F@r?prefix=a-b',
    { ...REDIS, nodes: [node('r', 6379)], prefix: 'a-b' },
    { password: 'p@:/' },
  ],
  [
    'redis://u%3A:p+q@r',
    { ...REDIS, nodes: [node('r', 6379)], username: 'u:' },
    { password: 'p+q' },
  ],
  [
    'redis+sentinel://s1,[::1]:5000/my-master',
    {
      ...REDIS,
      topology: { kind: 'sentinel', masterName: 'my-master' },
      nodes: [node('s1', 26379), node('::1', 5000)],
    },
    {},
  ],
  [
    'rediss+sentinel://u:p@s1/m/2?sentinel_username=w&sentinel_password=a%26b@c',
    {
      ...REDIS,
      topology: { kind: 'sentinel', masterName: 'm', username: 'w' },
      nodes: [node('s1', 26379)],
      username: 'u',
      database: 2,
      tls: {},
    },
    { password: 'p', sentinelPassword: 'a&b@c' },
  ],
  [
    'redis+cluster://:p@a,b:7001/0',
    { ...REDIS, topology: { kind: 'cluster' }, nodes: [node('a', 6379), node('b', 7001)] },
    { password: 'p' },
  ],
] as const) {
  test(`the store ${text.trim()} is read`, () => {
    assert.deepEqual(parseStore(text), { kind: 'ok', value: { store, secrets } })
  })
}

test('the addresses in docs/redis.md are read', () => {
  const docs = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8')
  const addresses = [...docs.matchAll(/`(redis[^`]*@[^`]+)`/g)].map(([, address]) => address ?? '')
  assert.equal(addresses.length, 3)
  for (const address of addresses) assert.equal(parseStore(address).kind, 'ok', address)
})

for (const [text, problem] of [
  ['memory', /it must be sqlite:/],
  ['sqlite:', /it must be sqlite:/],
  ['sqlite://x.db', /it must be sqlite:/],
  ['sqlite::memory:', /written memory:/],
  ['postgres://x', /it must be sqlite:/],
  ['redis:host', /it is no URL such as redis:/],
  ['redis+sentinels://h/m', /it is no URL such as/],
  ['redis://u:p@ss@h', /it is no URL such as .*%40/],
  ['redis://h/0#x', /it is no URL such as/],
  ['redis://u@h', /user:password, or :password/],
  ['redis://u:@h', /user:password, or :password/],
  ['redis://u:p%zz@h', /two hexadecimal digits/],
  ['redis://', /name a host/],
  ['redis://h:0', /a port from 1 to 65535/],
  ['redis://h:65536', /a port from 1 to 65535/],
  ['redis://h_1*', /name a host/],
  ['redis://a,b', /one host; several are/],
  ['redis+cluster://a,,b', /name a host/],
  ['redis://h/x', /number of a database/],
  ['redis://h/0/1', /number of a database/],
  ['redis+cluster://h/1', /no database but 0/],
  ['redis+sentinel://h', /name of the master/],
  ['redis+sentinel://h/m/x', /number of a database/],
  ['redis+sentinel://h/m/0/1', /number of a database/],
  ['redis+sentinel://h/my%20master', /name of the master/],
  ['redis://h?prefix=', /its prefix must be/],
  ['redis://h?prefix=a{b}', /its prefix must be/],
  ['redis://h?prefix', /after \? it may have prefix and/],
  ['redis://h?timeout=1', /after \? it may have prefix and/],
  ['redis://h?sentinel_password=x', /after \? it may have prefix and/],
  ['redis+sentinel://h/m?sentinel_username=x', /needs a sentinel_password/],
  ['redis://u@h:x/y?z', /user:password.*name a host.*number of a database.*after \?/s],
] as const) {
  test(`the store ${text} is refused`, () => {
    const parsed = parseStore(text)
    assert.match(parsed.kind === 'wrong' ? parsed.problems.join() : '', problem)
  })
}
