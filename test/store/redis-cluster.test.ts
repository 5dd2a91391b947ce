import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { RedisAddress } from '../../proxy/config/config.ts'
import { openOwner } from '../../proxy/store/redis-cluster.ts'
import { placeOf, type RedisReply } from '../../proxy/store/redis-connection.ts'
import { RedisError } from '../../proxy/store/redis-error.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'

const SEEDS: readonly RedisAddress[] = ['a', 'b'].map((host) => ({ host, port: 7000 }))

let opened: FakeConnection[]
/** What a node says of the key: 0 when it has its slot, or an error. */
let says: (place: string) => RedisReply | Promise<RedisReply>

beforeEach(() => {
  opened = []
})

async function open(node: RedisAddress): Promise<FakeConnection> {
  const place = placeOf(node)
  if (place.startsWith('gone')) throw new RedisError(place, 'ECONNREFUSED')
  const connection = fakeConnection(place, () => says(place))
  opened.push(connection)
  return connection
}

function movedTo(target: string): never {
  throw new RedisError('any', 'MOVED', target)
}

test('the owner is found although the node that was asked knows an older one only', async () => {
  const way: Record<string, string> = {
    'a:7000': 'x:1',
    'b:7000': 'x:1',
    'x:1': 'y:2',
    'y:2': 'z:3',
  }
  says = (place) => {
    const next = way[place]
    return next === undefined ? 0 : movedTo(next)
  }
  const owner = await openOwner(SEEDS, 'the key', open)
  assert.equal(owner.place, 'z:3')
  assert.deepEqual((owner as FakeConnection).asked, ['EXISTS the key'])
  assert.deepEqual(
    opened.filter(({ isEnded }) => !isEnded),
    [owner],
  )
})

test('a node that is asked may be the owner itself', async () => {
  says = () => 0
  const owner = await openOwner(SEEDS.slice(1), 'k', open)
  assert.equal(owner.place, 'b:7000')
})

test('one node that answers is enough, and the others are not waited for', async () => {
  says = (place) => (place === 'b:7000' ? new Promise(() => {}) : 0)
  const nodes = [{ host: 'gone', port: 1 }, ...SEEDS].reverse()
  assert.equal((await openOwner(nodes, 'k', open)).place, 'a:7000')
})

test('a redirection without a host, or with an unknown one, stays at the host', async () => {
  for (const target of [':7005', '?:7005']) {
    says = (place) => (place === 'a:7000' ? movedTo(target) : 0)
    assert.equal((await openOwner(SEEDS.slice(0, 1), 'k', open)).place, 'a:7005')
  }
  says = (place) => (place === 'a:7000' ? movedTo('fd00::1:7005') : 0)
  assert.equal((await openOwner(SEEDS.slice(0, 1), 'k', open)).place, '[fd00::1]:7005')
})

test('while the slot is on its way to another node, the old one is the owner', async () => {
  says = () => {
    throw new RedisError('a:7000', 'ASK')
  }
  assert.equal((await openOwner(SEEDS.slice(0, 1), 'k', open)).place, 'a:7000')
})

test('a cluster that leads round in a circle, or is down, is left alone', async () => {
  says = (place) => movedTo(place === 'x:1' ? 'y:2' : 'x:1')
  await assert.rejects(openOwner(SEEDS, 'k', open), { code: 'CLUSTERDOWN' })
  assert.ok(opened.length < 20)
  says = (place) => {
    throw new RedisError(place, 'CLUSTERDOWN')
  }
  await assert.rejects(openOwner(SEEDS, 'k', open), { code: 'CLUSTERDOWN' })
  says = (place) => {
    if (place === 'x:1') throw new RedisError(place, 'LOADING')
    return movedTo('x:1')
  }
  await assert.rejects(openOwner(SEEDS, 'k', open), { code: 'LOADING' })
  assert.ok(opened.every(({ isEnded }) => isEnded))
})
