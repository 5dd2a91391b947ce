import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DirectoryEntry, readNumbers } from '../../proxy/phone/read-numbers.ts'

const order = ['phoneNumberVerified', 'mobile', 'telephoneNumber', 'oxMobileDevices']

function read(entry: DirectoryEntry, attributes = order) {
  const result = readNumbers(entry, attributes, ['DE'])
  return result.kind === 'found' ? result.numbers : result.kind
}

describe('numbers of a directory entry', () => {
  it('come from the first attribute that holds one', () => {
    const entry = { telephoneNumber: '+4930123456', mobile: '+4915112345678' }
    assert.deepEqual(read(entry), ['+4915112345678'])
    assert.deepEqual(read(entry, ['telephoneNumber', 'mobile']), ['+4930123456'])
  })

  it('are all values of that attribute, in their order, once each', () => {
    const mobile = ['+49 151 12345678', '0170 1234567', '0151/12345678']
    assert.deepEqual(read({ mobile }), ['+4915112345678', '+491701234567'])
  })

  it('come from an attribute of any case and with options, but not from a longer name', () => {
    assert.deepEqual(read({ MOBILE: '+4915112345678' }), ['+4915112345678'])
    assert.deepEqual(read({ 'mobile;lang-de': '+4915112345678' }), ['+4915112345678'])
    assert.equal(read({ mobileHome: '+4915112345678' }), 'none')
    assert.deepEqual(read({ 'Mobile;X-Work': '+4915112345678' }, ['mobile;x-work']), [
      '+4915112345678',
    ])
  })

  it('come from values that the server sent as bytes', () => {
    assert.deepEqual(read({ mobile: Buffer.from('+49 151 12345678') }), ['+4915112345678'])
    assert.deepEqual(read({ mobile: [Buffer.from('+4915112345678'), '01701234567'] }), [
      '+4915112345678',
      '+491701234567',
    ])
  })

  it('come from the JSON of Gluu in all its shapes', () => {
    const phones = [
      { number: '4915112345678', nickName: 'work', addedOn: 1550000000000 },
      { nickName: 'broken' },
      { number: 491701234567 },
    ]
    const expected = ['+4915112345678', '+491701234567']
    assert.deepEqual(read({ oxMobileDevices: JSON.stringify({ phones }) }), expected)
    assert.deepEqual(read({ oxMobileDevices: JSON.stringify(phones) }), expected)
    assert.deepEqual(read({ oxMobileDevices: ` ${JSON.stringify({ phones })}` }), expected)
  })

  it('are none when nothing is there, nothing but blanks, or Gluu left an empty list', () => {
    assert.equal(read({}), 'none')
    assert.equal(read({ mobile: [], telephoneNumber: ' ' }), 'none')
    assert.equal(read({ oxMobileDevices: '{"phones":[]}' }), 'none')
    assert.equal(read({ oxMobileDevices: '[]' }), 'none')
    assert.equal(read({ oxMobileDevices: '{}' }), 'none')
  })

  it('are unreadable, not none, when only rubbish is there', () => {
    const rubbish = [
      'n/a',
      '12',
      '+49 151 12345678 x12',
      '{"phones":[{"number":"soon"}]}',
      '{"phones":"+4915112345678"}',
      '{"phones":null}',
      '{"other":1}',
      '[null]',
      '["+4915112345678"]',
      '{"phones":[',
    ]
    for (const value of rubbish) assert.equal(read({ mobile: value }), 'unreadable', value)
    assert.equal(read({ mobile: Buffer.from([0xff, 0xfe, 0x00]) }), 'unreadable')
  })

  it('leave rubbish out beside a good one, in the same attribute or a later one', () => {
    assert.deepEqual(read({ mobile: ['n/a', '+4915112345678', 'x'] }), ['+4915112345678'])
    assert.deepEqual(read({ phoneNumberVerified: 'n/a', mobile: '+4915112345678' }), [
      '+4915112345678',
    ])
    assert.equal(read({ phoneNumberVerified: 'n/a', mobile: [] }), 'unreadable')
  })
})
