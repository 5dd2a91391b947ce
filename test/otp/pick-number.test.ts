import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { chosenNumber, numberChoices } from '../../proxy/otp/pick-number.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { basicSession, PHONE } from './otp-parts.ts'

const OTHER = '+491713920042'
const session = basicSession()
const REACH = loadedOk(loadWith({ STEPGATE_SMS_COUNTRIES: 'DE' })).config
const found = { kind: 'found', numbers: [PHONE, OTHER] } as const

test('a choice shows two digits and stands for exactly its number', () => {
  const choices = numberChoices(session, found.numbers, REACH)
  assert.deepEqual(
    choices.map(({ lastDigits }) => lastDigits),
    ['86', '42'],
  )
  for (const [index, { id }] of choices.entries()) {
    assert.equal(chosenNumber(session, found, id), found.numbers[index])
    assert.doesNotMatch(id, /8817386|3920042/)
  }
})

test('neither a number, a position, nor the choice of another session names a number', () => {
  const [foreign] = numberChoices(basicSession({ id: 'another-session' }), found.numbers, REACH)
  for (const id of ['', PHONE, OTHER, '0', '1', '86', foreign?.id ?? '']) {
    assert.equal(chosenNumber(session, found, id), undefined)
  }
})

test('a choice says how the code goes to it: a landline is called', () => {
  const choices = numberChoices(session, [PHONE, '+493012345678'], REACH)
  assert.deepEqual(
    choices.map(({ channel }) => channel),
    ['sms', 'call'],
  )
})

test('a choice is refused once the directory no longer has its number', () => {
  const [, second] = numberChoices(session, found.numbers, REACH)
  assert.equal(
    chosenNumber(session, { kind: 'found', numbers: [PHONE] }, second?.id ?? ''),
    undefined,
  )
})

// The browser holds the cookie from which the family is made, and a number has few digits to try.
test('what the browser knows of its session is not enough to try numbers against an id', () => {
  const byFamily = createHmac('sha256', session.family).update(PHONE).digest('base64url')
  assert.ok(!byFamily.startsWith(numberChoices(session, [PHONE], REACH)[0]?.id ?? ''))
})
