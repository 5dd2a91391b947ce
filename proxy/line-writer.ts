import { writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Takes lines, each with its end. */
export type LineWriter = {
  write(line: string): void
  /** Calls back when every line so far is written. */
  flush(done: () => void): void
}

/** What a pipe takes in one piece or not at all (POSIX, PIPE_BUF), in bytes; workers share one. */
const PIECE = 4096
/** In ms: for what is left when the process ends and its pipe is full. */
const LAST_PATIENCE = 2_000

/**
 * Writes lines to standard output, or `out`, and makes nobody wait. The first line goes out at once,
 * and what else is said in the same turn of the event loop together after it, in pieces of whole
 * lines. What a full pipe does not take is kept until it does. Each piece costs a system call; one a
 * turn by the threads that Node has for files would not keep up with a busy door.
 */
export function createLineWriter(out: Writable & { fd: number } = process.stdout): LineWriter {
  let lines: string[] = []
  let taken = 0
  let piece = ''
  let isBusy = false
  let isBroken = false
  let flushed: (() => void)[] = []

  function takePiece(): string {
    piece = ''
    for (let room = PIECE; taken < lines.length; taken++) {
      const line = lines[taken] as string
      room -= Buffer.byteLength(line)
      if (room < 0 && piece !== '') break
      piece += line
    }
    if (taken === lines.length) {
      lines = []
      taken = 0
    }
    return piece
  }

  const later = () => void setImmediate(next)

  function next(): void {
    if (lines.length > 0) return void out.write(takePiece(), next)
    isBusy = false
    const done = flushed
    flushed = []
    for (const each of done) each()
  }

  out.on('error', () => {
    // Nobody reads any more, and there is nowhere to say so.
    isBroken = true
    lines = []
    taken = 0
    next()
  })
  process.once('exit', () => {
    if (isBroken) return
    const isUnsent = out.writableLength > 0
    for (let rest = isUnsent ? piece : takePiece(); rest !== ''; rest = takePiece()) {
      if (!writeNow(out.fd, rest)) return
    }
  })
  return {
    write(line) {
      if (isBroken) return
      lines.push(line)
      if (isBusy) return
      isBusy = true
      out.write(takePiece(), later)
    },
    flush(done) {
      if (isBusy) flushed.push(done)
      else done()
    },
  }
}

/** Whether a pipe has taken it before patience was at an end. */
function writeNow(fd: number, text: string): boolean {
  for (const end = performance.now() + LAST_PATIENCE; performance.now() < end; ) {
    try {
      writeSync(fd, text)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
  return false
}
