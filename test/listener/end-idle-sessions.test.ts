import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import { test } from 'node:test'
import { endIdleSessions } from '../../proxy/listener/end-idle-sessions.ts'
import { answerOf } from '../support/http2-client.ts'
import { until } from '../support/until.ts'
import { listen } from '../upstream/sockets.ts'

test('a session ends that has no request under way, whatever else it sends; one that has goes on', async (t) => {
  const held: (() => void)[] = []
  const server = createServer((request, response) => {
    if (request.url === '/held') held.push(() => response.end('yes'))
    else response.end('yes')
  })
  endIdleSessions(server, 500)
  const port = await listen(t, server)
  const dial = () => {
    const session = connect(`http://127.0.0.1:${port}`)
    t.after(() => session.destroy())
    return session.on('error', () => {})
  }
  const busy = dial()
  const answer = answerOf(busy.request({ ':path': '/held' }))
  await until(async () => held.length === 1)

  const fresh = dial()
  const used = dial()
  const goodbyes = Promise.all([fresh, used].map((session) => once(session, 'goaway')))
  await answerOf(used.request({ ':path': '/' }))
  const pings = setInterval(() => {
    for (const session of [fresh, used]) if (!session.closed) session.ping(() => {})
  }, 10)
  t.after(() => clearInterval(pings))
  assert.deepEqual(
    (await goodbyes).map(([code]) => code),
    [0, 0],
  )
  assert.equal(busy.closed, false)
  const over = once(busy, 'close')
  held[0]?.()
  assert.equal((await answer).body, 'yes')
  await over
})
