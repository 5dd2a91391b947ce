import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStandIns } from '../codes/processes.ts'
import { ask, bindTo, end, launch, onCores, type Started, usableCores } from '../processes.ts'
import { type Load, type Loaded, RECORD } from './load.ts'

/** What all parts of the bench share. */
export type Setting = {
  /** Origin of the application, and of the provider and the stand-in for Twilio. */
  readonly application: string
  readonly standIns: string
  readonly folder: string
  /** For what is measured, and all others; empty where they can't be bound. */
  readonly cores: { readonly measured: readonly number[]; readonly others: readonly number[] }
  /** Binds browsers and application. */
  bindOthers(cores: readonly number[]): void
  /** A file with these requests for `drive`. */
  write(requests: readonly string[]): Promise<string>
  /** Puts a load on a server; rejects when an answer is none. */
  drive(load: Load): Promise<Loaded>
  stop(): Promise<void>
}

/** Starts application, browsers, provider and stand-in for Twilio, away from what is measured. */
export async function createSetting(): Promise<Setting> {
  const usable = usableCores()
  const cores = { measured: usable.slice(-1), others: usable.length > 1 ? usable.slice(0, -1) : [] }
  bindTo(process.pid, cores.others)
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-bench-'))
  const standIns = await startStandIns()
  const application = launch([process.execPath, join(import.meta.dirname, 'application.ts')])
  const { origin } = await ask<{ origin: string }>(application)
  const load = launch([process.execPath, join(import.meta.dirname, 'load.ts')])
  let files = 0
  return {
    application: origin,
    standIns: standIns.origin,
    folder,
    cores,
    bindOthers(cores) {
      for (const { pid } of [application, load]) bindTo(pid ?? 0, cores)
    },
    async write(requests) {
      const file = join(folder, `requests-${files++}`)
      await writeFile(file, requests.join(RECORD), 'latin1')
      return file
    },
    async drive(asked) {
      const answered = ask<Loaded | { error: string }>(load)
      load.send(asked)
      const answer = await answered
      if ('error' in answer) throw new Error(answer.error)
      return answer
    },
    async stop() {
      await Promise.all([end(load), end(application), standIns.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A server that is measured. */
export type Server = Started & { readonly pid: number }

/** Starts a program of this folder that tells its origin, on the core for what is measured. */
export async function startProgram(setting: Setting, file: string): Promise<Server> {
  const program = join(import.meta.dirname, file)
  const child = launch([
    ...onCores(setting.cores.measured),
    process.execPath,
    ...process.execArgv,
    program,
    setting.application,
  ])
  return serverOf(child, (await ask<{ origin: string }>(child)).origin)
}

/** A child as a server at this origin. */
export function serverOf(child: ChildProcess, origin: string): Server {
  return { origin, pid: child.pid ?? 0, stop: () => end(child) }
}
