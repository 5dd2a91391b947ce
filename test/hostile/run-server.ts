import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess } from '../support/end-process.ts'
import { freePort } from '../support/free-port.ts'

/** A server that was started in a folder of its own. */
export type RunningServer = { readonly port: number; stop(): Promise<void> }

/** How a server is started in `folder` to listen on a loopback port. */
export type Launch = (
  folder: string,
  port: number,
) => Promise<{ readonly program: string; readonly args: readonly string[] }>

/** Longer than any of them takes to start. */
const PATIENCE = 60_000

/** Starts it on a free port and waits until it answers; another port if that was taken meanwhile. */
export async function runServer(launch: Launch): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-server-'))
  const clean = () => rm(folder, { recursive: true, force: true })
  const errors: unknown[] = []
  while (errors.length < 3) {
    const port = await freePort()
    const { program, args } = await launch(folder, port)
    try {
      const child = await start(program, args, port)
      const stop = async () => {
        await endProcess(child)
        await clean()
      }
      return { port, stop }
    } catch (error) {
      errors.push(error)
    }
  }
  await clean()
  throw new AggregateError(errors, 'The server does not start')
}

async function start(
  program: string,
  args: readonly string[],
  port: number,
): Promise<ChildProcess> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output = (output + data).slice(-4_000)
    })
  }
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  for (const late = performance.now() + PATIENCE; ; await sleep(20)) {
    if (child.exitCode !== null) throw new Error(`${program} ended at once: ${output}`)
    if (await answers(port)) return child
    if (performance.now() > late) {
      await endProcess(child)
      throw new Error(`${program} does not answer: ${output}`)
    }
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await once(socket, 'data')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
