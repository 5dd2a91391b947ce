import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { closeFrame, firstFrame, follow, isBetweenFrames } from '../../proxy/upstream/frames.ts'
import { closing, frame } from '../support/web-socket.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

const FRAME = fc
  .record({
    size: fc.oneof(
      fc.integer({ min: 0, max: 130 }),
      fc.constantFrom(125, 126, 127, 65_535, 65_536),
    ),
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    fin: fc.boolean(),
    masked: fc.boolean(),
  })
  .map(({ size, ...options }) => frame('\x88'.repeat(size), options))

test('of any frames in any pieces, the ends of frames are known and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(FRAME, { maxLength: 6 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
      (frames, fractions) => {
        const stream = frames.join('')
        const ends = new Set([0])
        let end = 0
        for (const one of frames) {
          end += one.length
          ends.add(end)
        }
        const cuts = fractions.map((part) => Math.floor(part * stream.length))
        const marks = [...new Set([...cuts, ...ends])].sort((a, b) => a - b)
        const position = firstFrame()
        let from = 0
        for (const mark of marks) {
          follow(position, bytes(stream.slice(from, mark)))
          from = mark
          assert.equal(isBetweenFrames(position), ends.has(mark), `${mark} of ${stream.length}`)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('after a close frame there is no place for another one', () => {
  const position = firstFrame()
  const said = frame('last words') + closing(1000, 'Bye')
  for (const byte of bytes(said)) follow(position, Uint8Array.of(byte))
  assert.equal(isBetweenFrames(position), false)
})

test('a close frame says its code and reason, unmasked', () => {
  assert.equal(closeFrame(4401, 'Session ended').toString('latin1'), closing(4401, 'Session ended'))
  assert.equal(closeFrame(1001, '').toString('hex'), '880203e9')
})
