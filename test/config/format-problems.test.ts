import assert from 'node:assert/strict'
import test from 'node:test'
import { EXIT_CONFIG, formatProblems } from '../../proxy/config/format-problems.ts'

test('each problem is a block, and the last line counts them', () => {
  assert.equal(
    formatProblems([
      {
        variable: 'STEPGATE_UPSTRM',
        problem: 'is unknown; the nearest known one is STEPGATE_UPSTREAM',
      },
      { variable: 'STEPGATE_OTP_LENGTH', problem: 'is "4"; it must be more', example: '6' },
    ]),
    `stepgate can't start with this configuration:

  STEPGATE_UPSTRM is unknown; the nearest known one is STEPGATE_UPSTREAM

  STEPGATE_OTP_LENGTH is "4"; it must be more
      e.g. STEPGATE_OTP_LENGTH=6

2 problems found. Every variable is described in README.md, under Configuration.
`,
  )
  assert.match(formatProblems([{ variable: 'X', problem: 'is bad' }]), /^1 problem found\./m)
})

test('the exit code is that of sysexits.h', () => {
  assert.equal(EXIT_CONFIG, 78)
})
