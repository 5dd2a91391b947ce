import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEndedSessions, endOfSid, endOfSubject } from '../../proxy/session/ended-sessions.ts'
import { CLOCK_SKEW, type Session } from '../../proxy/session/session.ts'
import { HOUR, NOW, sampleSession } from './session-sample.ts'

const SUBJECT = 'all 7 of them'
const session = (changes: Partial<Session> = {}) =>
  sampleSession({ subject: SUBJECT, createdAt: NOW - HOUR, ...changes })

function ended(...ends: readonly string[]) {
  const all = createEndedSessions()
  for (const end of ends) all.learn(end, NOW + HOUR, NOW)
  return all
}

describe('what has ended', () => {
  it('is a session by its family or its provider’s sid, and nothing else of that name', () => {
    const all = ended('family-1', endOfSid('sid 1'))
    assert.equal(all.isOver(session({ family: 'family-1' })), true)
    assert.equal(all.isOver(session({ sid: 'sid 1' })), true)
    assert.equal(all.isOver(session({ sid: 'family-1' })), false)
    assert.equal(all.isOver(session({ subject: 'sid 1', username: 'family-1' })), false)
    assert.equal(ended('sid-1').isOver(session({ sid: 'sid-1' })), false)
  })

  it('is an id that was replaced, whose requests are not over', () => {
    const all = ended('id-1')
    assert.equal(all.isRevoked(session({ id: 'id-1' })), true)
    assert.equal(all.isOver(session({ id: 'id-1' })), false)
  })

  it('is all of a person that began before, whatever machine says when that was', () => {
    const all = ended(endOfSubject(SUBJECT, NOW))
    for (const createdAt of [NOW - HOUR, NOW, NOW + CLOCK_SKEW]) {
      assert.equal(all.isOver(session({ createdAt })), true)
      assert.equal(all.isOver(session({ createdAt, sid: 'any' })), true)
      assert.equal(all.isOver(session({ createdAt, subject: '7 of them' })), false)
    }
    assert.equal(all.isOver(session({ createdAt: NOW + CLOCK_SKEW + 1 })), false)
  })

  it('is not what began with knowledge of it', () => {
    const all = ended(endOfSubject(SUBJECT, NOW))
    const lastEndBefore = all.lastEnd(SUBJECT, NOW + 1)
    assert.equal(lastEndBefore, NOW)
    assert.equal(all.isOver(session({ createdAt: NOW, lastEndBefore })), false)
    // What is learned at that very moment was not known.
    assert.equal(all.lastEnd(SUBJECT, NOW), undefined)
    assert.equal(all.lastEnd('another', NOW + 1), undefined)
    all.learn(endOfSubject(SUBJECT, NOW + 5), NOW + HOUR, NOW + 5)
    assert.equal(all.isOver(session({ createdAt: NOW, lastEndBefore })), true)
    assert.equal(all.lastEnd(SUBJECT, NOW + 6), NOW + 5)
  })

  it('is the latest, in whatever order they are heard of, and was known from the first time on', () => {
    const all = ended(endOfSubject(SUBJECT, NOW + 5), endOfSubject(SUBJECT, NOW))
    all.learn(endOfSubject(SUBJECT, NOW + 5), NOW + HOUR, NOW + 99)
    assert.equal(all.lastEnd(SUBJECT, NOW + 1), NOW + 5)
    all.forget(NOW + HOUR)
    assert.equal(all.isOver(session()), false)
  })

  it('may be all of a person that have no sid, and no others', () => {
    const all = ended(endOfSubject(SUBJECT, NOW, 'without-sid'))
    assert.equal(all.isOver(session()), true)
    assert.equal(all.isOver(session({ sid: 'any' })), false)
    assert.equal(all.lastEnd(SUBJECT, NOW + 1), NOW)
  })

  it('may be all of a person by their own word, which is kept apart', () => {
    const all = ended(endOfSubject(SUBJECT, NOW, 'everywhere'), endOfSubject(SUBJECT, NOW + 5))
    assert.equal(all.isOver(session({ sid: 'any' })), true)
    assert.equal(all.isOver(session({ lastEndBefore: NOW + 5 })), false)
    assert.equal(all.lastEnd(SUBJECT, NOW + 1), NOW + 5)
    assert.equal(all.lastEnd(SUBJECT, NOW + 1, 'everywhere'), NOW)
    assert.equal(all.lastEnd(SUBJECT, NOW, 'everywhere'), undefined)
    const one = ended(endOfSubject(SUBJECT, NOW, 'everywhere'))
    assert.equal(one.isOver(session({ sid: 'any' })), true)
    one.forget(NOW + HOUR)
    assert.equal(one.isOver(session()), false)
  })

  it('is forgotten when it expires, and not before', () => {
    const ends = ['family-1', endOfSid('sid-1'), endOfSubject(SUBJECT, NOW)]
    const all = ended(...ends)
    const those = [session({ family: 'family-1' }), session({ sid: 'sid-1' }), session()]
    all.forget(NOW + HOUR - 1)
    assert.deepEqual(
      [...all.all()].map(([end]) => end),
      ends,
    )
    for (const each of those) assert.equal(all.isOver(each), true)
    all.forget(NOW + HOUR)
    assert.deepEqual([...all.all()], [])
    for (const each of those) assert.equal(all.isOver(each), false)
  })
})
