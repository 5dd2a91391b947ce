import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStatusCallback } from '../../proxy/sms/status-callback.ts'

const url = new URL('https://app.example.com/_stepgate/twilio/status')

test('sends that are refused at once are each repeated, and the refusal is told once', async () => {
  let told = 0
  const callback = createStatusCallback(url, () => told++)
  const { promise: bothAsked, resolve } = Promise.withResolvers<void>()
  const asked: (string | undefined)[] = []
  const create = async ({ statusCallback }: { statusCallback?: string }) => {
    asked.push(statusCallback)
    if (asked.length === 2) resolve()
    await bothAsked
    if (statusCallback !== undefined) throw Object.assign(new Error(), { code: 21609, status: 400 })
    return 'sent'
  }
  const ended = await Promise.all([callback.offer(create), callback.offer(create)])
  assert.deepEqual(ended, ['sent', 'sent'])
  assert.deepEqual(asked, [url.href, url.href, undefined, undefined])
  assert.equal(told, 1)
})

test('whatever else goes wrong is tried no second time', async () => {
  const callback = createStatusCallback(url, () => assert.fail('it was not refused'))
  let asked = 0
  for (const code of [21610, 'ECONNRESET', undefined]) {
    const error = Object.assign(new Error(), { code })
    const create = async () => {
      asked++
      throw error
    }
    await assert.rejects(callback.offer(create), error)
  }
  assert.equal(asked, 3)
})
