import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { RedisAddress } from '../../proxy/config/config.ts'
import { placeOf, type RedisReply } from '../../proxy/store/redis-connection.ts'
import { RedisError } from '../../proxy/store/redis-error.ts'
import { openPromoted } from '../../proxy/store/redis-sentinel.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'

const MASTER: RedisReply = ['10.0.0.1', '6379']

let opened: FakeConnection[]
/** What each server answers, by its host. */
let answers: Record<string, (command: string) => RedisReply | Promise<RedisReply>>

beforeEach(() => {
  opened = []
  answers = { s1: () => MASTER, '10.0.0.1': () => ['master', 0, []] }
})

async function open(node: RedisAddress): Promise<FakeConnection> {
  const answer = answers[node.host]
  if (answer === undefined) throw new RedisError(placeOf(node), 'ECONNREFUSED')
  const connection = fakeConnection(placeOf(node), (command) => answer(command.join(' ')))
  opened.push(connection)
  return connection
}

const find = (hosts: readonly string[], openSentinel = [open]) =>
  openPromoted({
    sentinels: hosts.map((host) => ({ host, port: 26_379 })),
    masterName: 'mymaster',
    openSentinel,
    open,
  })

function refuse(code: string): never {
  throw new RedisError('s1:26379', code)
}

test('the master is the one that a sentinel names, and nothing else stays open', async () => {
  const master = await find(['s1'])
  assert.equal(master.place, '10.0.0.1:6379')
  assert.deepEqual(
    opened.map(({ asked, isEnded }) => [asked, isEnded]),
    [
      [['SENTINEL GET-MASTER-ADDR-BY-NAME mymaster'], true],
      [['ROLE'], false],
    ],
  )
})

test('sentinels that are gone, silent or ignorant hold nobody up', async () => {
  answers.silent = () => new Promise(() => {})
  answers.ignorant = () => null
  assert.equal((await find(['gone', 'silent', 'ignorant', 's1'])).place, '10.0.0.1:6379')
})

test('a server that a sentinel takes for the master, and that is none, is not used', async () => {
  answers['10.0.0.1'] = () => ['slave', '10.0.0.2', 6379, 'connected', 9]
  await assert.rejects(find(['s1']), { code: 'not_master' })
  assert.ok(opened.every(({ isEnded }) => isEnded))
})

test('a user that may not ask for the role is believed until the first write', async () => {
  answers['10.0.0.1'] = () => refuse('NOPERM')
  await find(['s1'])
  assert.equal(opened.at(-1)?.isEnded, false)
  answers['10.0.0.1'] = () => refuse('LOADING')
  await assert.rejects(find(['s1']), { code: 'LOADING' })
  assert.equal(opened.at(-1)?.isEnded, true)
})

test('a sentinel is signed in to in the first way that it takes', async () => {
  const wrong = () => Promise.reject(new RedisError('s1:26379', 'WRONGPASS'))
  const needless = () => Promise.reject(new RedisError('s1:26379', 'no_password'))
  assert.equal((await find(['s1'], [wrong, needless, open])).place, '10.0.0.1:6379')
  await assert.rejects(find(['s1'], [open, wrong].reverse().slice(0, 1)), { code: 'WRONGPASS' })
  const gone = () => Promise.reject(new RedisError('s1:26379', 'ECONNREFUSED'))
  await assert.rejects(find(['s1'], [gone, open]), { code: 'ECONNREFUSED' })
})

test('of several failures the operator hears of the one that only he can mend', async () => {
  answers.ignorant = () => null
  await assert.rejects(find(['gone', 'ignorant']), { code: 'no_master' })
  await assert.rejects(find(['gone', 'away']), { code: 'ECONNREFUSED' })
})
