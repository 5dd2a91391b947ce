import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { UpgradeOutcome } from '../../proxy/upstream/forward.ts'
import { freshHealth } from '../../proxy/upstream/pick-address.ts'
import { onRequestUpgrade, type Upgrade } from '../../proxy/upstream/upgrade-undici.ts'
import { ACCEPT, KEY } from '../support/web-socket.ts'

/** A handshake under way at an address that has failed before, and what a 101 makes of both. */
function switched(settled: boolean) {
  const address = { ...freshHealth(), pending: 1, failures: 1, retryAt: 9 }
  const events: string[] = []
  const outcomes: UpgradeOutcome[] = []
  const socket = new Duplex({ read() {}, write() {} })
  const upgrade = {
    settled,
    key: KEY,
    address,
    group: { options: { onHealth: ({ kind }: { kind: string }) => events.push(kind) } },
    notes: {},
    began: 0,
    answerHeaders: () => ['X-A', '1', 'Content-Length', '3'],
    setCookies: () => [],
    resolve: (outcome: UpgradeOutcome) => outcomes.push(outcome),
  } as unknown as Upgrade
  const controller = { rawHeaders: [] } as unknown as Parameters<typeof onRequestUpgrade>[0]
  const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': ACCEPT }
  onRequestUpgrade.call(upgrade, controller, 101, headers, socket)
  return { address, events, outcome: outcomes[0], socket }
}

test('a handshake that succeeds is no longer under way, and its address is well again', () => {
  const { address, events, outcome, socket } = switched(false)
  assert.deepEqual(outcome, { kind: 'switched', socket, headers: ['X-A', '1'] })
  assert.deepEqual(address, freshHealth())
  assert.deepEqual(events, ['back'])
  assert.equal(socket.destroyed, false)
})

test('one whose client has left ends there, and is not counted off twice', () => {
  const { address, socket } = switched(true)
  assert.equal(address.pending, 1)
  assert.equal(socket.destroyed, true)
})
