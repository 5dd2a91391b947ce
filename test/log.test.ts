import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createLineWriter } from '../proxy/line-writer.ts'
import { createLog, describeError, type LogFields } from '../proxy/log.ts'

type Level = Parameters<typeof createLog>[0]['level']

function logOf(level: Level = 'debug', access = true) {
  const lines: string[] = []
  const log = createLog({ level, access }, { write: (line) => lines.push(line) })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') }
}

test('an event is one JSON line with its time and level', () => {
  const { log, lines, last } = logOf()
  log.audit('otp.wrong', { request_id: 'r', subject: 's', client: '127.0.0.1' })
  const { time, ...rest } = last()
  assert.equal(new Date(time).toISOString(), time)
  assert.deepEqual(rest, {
    level: 'info',
    event: 'otp.wrong',
    request_id: 'r',
    subject: 's',
    client: '127.0.0.1',
  })
  assert.equal(lines.length, 1)
})

test('no text makes a second line or another field', () => {
  const { log, lines } = logOf()
  const texts = [
    'a\nb',
    'a\r\nb',
    '","event":"x","a":"',
    '\0\x1b[2J\x7f',
    '\u2028',
    '\ud800',
    '\\n"',
  ]
  for (const text of texts) {
    log.audit('request.denied', { reason: text })
    log.access({ path: text })
    log.error(text, { detail: text })
    for (const line of lines.splice(0)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.match(line, /^[^\0-\x1f]+\n$/)
      const { reason, path, detail } = JSON.parse(line)
      assert.equal((reason ?? path ?? detail).toWellFormed(), text.toWellFormed())
    }
  }
})

test('a level hides what is below it', () => {
  const seen = (level: Level) => {
    const { log, lines } = logOf(level)
    log.debug('m')
    log.info('m')
    log.audit('otp.wrong', {})
    log.access({})
    log.warn('m')
    log.error('m')
    return lines.map((line) => JSON.parse(line).level)
  }
  assert.deepEqual(seen('debug'), ['debug', 'info', 'info', 'info', 'warn', 'error'])
  assert.deepEqual(seen('info'), ['info', 'info', 'info', 'warn', 'error'])
  assert.deepEqual(seen('error'), ['error'])
  assert.deepEqual(seen('silent'), [])
})

test('the access log can be off alone', () => {
  const { log, lines } = logOf('info', false)
  log.access({ path: '/' })
  assert.deepEqual(lines, [])
})

test('of an error only name and code are told, of its cause too', () => {
  const cause = Object.assign(new RangeError('canary'), { code: 'ECANARIES' })
  const cases: [unknown, LogFields][] = [
    [new TypeError('canary'), { error: 'TypeError' }],
    [
      Object.assign(new Error('canary'), { code: 'E1', config: 'canary' }),
      { error: 'Error', code: 'E1' },
    ],
    [Object.assign(new Error('canary'), { code: 20003 }), { error: 'Error' }],
    [new Error('canary', { cause }), { error: 'Error', cause: 'RangeError ECANARIES' }],
    [new Error('canary', { cause: 'canary' }), { error: 'Error' }],
    [new AggregateError([new Error('canary')], 'canary'), { error: 'AggregateError' }],
    ['canary', { error: 'string' }],
    [{ message: 'canary', code: 'canary' }, { error: 'object' }],
    [undefined, { error: 'undefined' }],
    [null, { error: 'object' }],
  ]
  for (const [error, fields] of cases) assert.deepEqual(describeError(error), fields)
})

test('a line of the access log is written as all others are', () => {
  const { log, lines } = logOf()
  const fields = {
    event: 'request',
    path: '/"\\\n\u2028\ud800ü',
    status: undefined,
    ms: 0.5,
    ok: true,
  }
  log.access(fields)
  log.info('', fields)
  log.access({})
  log.info('', {})
  const [access, info, empty, alsoEmpty] = lines.map((line) =>
    line.replace(/"time":"[^"]+Z"/, 'time').replace(',"msg":""', ''),
  )
  assert.equal(access, info)
  assert.equal(empty, alsoEmpty)
  for (const level of ['warn', 'silent'] as const) {
    const quiet = logOf(level)
    quiet.log.access(fields)
    assert.deepEqual(quiet.lines, [])
  }
})

test('what stands in every line tells processes apart', () => {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ level: 'info', access: true }, { write }, { worker: 3, pid: 77 })
  log.audit('otp.wrong', {})
  log.access({ status: 200 })
  for (const line of lines) {
    const { worker, pid } = JSON.parse(line)
    assert.deepEqual([worker, pid], [3, 77])
  }
  assert.equal(lines.length, 2)
})

test('a flushed log is whole and in order, however busy the threads are that write it', async () => {
  const module = new URL('../proxy/log.ts', import.meta.url).href
  const script = `
    import { pbkdf2 } from 'node:crypto'
    import { createLog } from ${JSON.stringify(module)}
    const log = createLog({ level: 'info', access: false })
    pbkdf2('', '', 1_000_000, 16, 'sha256', () => {})
    for (let line = 0; line < 500; line += 1) log.info('a line', { line })
    await log.flush()
    process.exit(0)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  )
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).line),
    Array.from({ length: 500 }, (_, line) => line),
  )
})

test('lines of processes that share a pipe stay whole, however many gather', async () => {
  const module = new URL('../proxy/log.ts', import.meta.url).href
  const script = `
    import { createLog } from ${JSON.stringify(module)}
    const log = createLog({ level: 'info', access: false })
    for (let line = 0; line < 4000; line += 1) log.info('a line', { line, filler: 'x'.repeat(line % 1500) })
    await log.flush()`
  const writers = Array.from({ length: 3 }, () => `"$0" --input-type=module --eval "$1" &`)
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    // A reader that is late: the pipe is full, and takes what comes in pieces.
    ['-c', `{ ${writers.join(' ')} wait; } | (sleep 1; cat)`, process.execPath, script],
    { maxBuffer: 100 * 1024 * 1024 },
  )
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 3 * 4000)
  for (const line of lines) assert.equal(JSON.parse(line).msg, 'a line')
})

describe('lines for an output that takes its time', () => {
  function open() {
    const pieces: string[] = []
    const held: ((error?: Error) => void)[] = []
    const out = new Writable({
      write(piece, _, done) {
        pieces.push(String(piece))
        held.push(done)
      },
    })
    const writer = createLineWriter(Object.assign(out, { fd: -1 }))
    /** The output takes the piece that it has been given. */
    const take = (error?: Error) => {
      held.shift()?.(error)
      return nextTurn()
    }
    return { writer, pieces, take }
  }

  test('are kept, in order, and go on in pieces that a pipe takes whole', async () => {
    const { writer, pieces, take } = open()
    const lines = Array.from({ length: 40 }, (_, line) => `${line} ${'ü'.repeat(line * 20)}\n`)
    for (const line of lines) writer.write(line)
    let flushed = false
    writer.flush(() => {
      flushed = true
    })
    assert.deepEqual(pieces, lines.slice(0, 1), 'at once, and one after another')
    for (let tries = 0; tries < 40 && !flushed; tries++) await take()
    assert.ok(flushed)
    assert.equal(pieces.join(''), lines.join(''))
    assert.ok(pieces.every((piece) => Buffer.byteLength(piece) <= 4096 && piece.endsWith('\n')))
    assert.ok(pieces.length < 15, 'lines go together')
  })

  test('are given up when nobody reads any more', async () => {
    const { writer, pieces, take } = open()
    writer.write('one\n')
    writer.write('two\n')
    const flushed = new Promise<void>((resolve) => writer.flush(resolve))
    await take(new Error('EPIPE'))
    await flushed
    writer.write('three\n')
    await new Promise<void>((resolve) => writer.flush(resolve))
    assert.deepEqual(pieces, ['one\n'])
  })
})

test('what was said last before a process ends is written', async () => {
  const module = new URL('../proxy/log.ts', import.meta.url).href
  const script = `
    import { createLog } from ${JSON.stringify(module)}
    const log = createLog({ level: 'info', access: false })
    for (let line = 0; line < 2000; line += 1) log.info('a line', { line, filler: 'x'.repeat(100) })
    // Some of it waits for the pipe, the rest for its turn.
    const end = () => {
      if (process.stdout.writableLength === 0) return setImmediate(end)
      log.error('the last')
      process.exit(1)
    }
    end()`
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    // A reader that is late: the pipe is full when the process ends.
    ['-c', '"$0" --input-type=module --eval "$1" | (sleep 0.5; cat)', process.execPath, script],
  )
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 2001)
  assert.equal(JSON.parse(lines.at(-1) ?? '').msg, 'the last')
})
