import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { declareSecret } from './canaries.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'
import { createCertificate, type ServerCertificate } from './slapd-certificate.ts'
import { stopProcess } from './stop-process.ts'

const run = promisify(execFile)

export type RedisOptions = {
  /** Whether the default user has a password: a new one, or this. */
  readonly password?: boolean | string
  /** TLS and nothing else; `clients`: for those alone who show a certificate. */
  readonly tls?: boolean | 'clients'
  /** More lines of redis.conf. */
  readonly lines?: readonly string[]
  /** This port instead of any that is free. */
  readonly port?: number
  /** A sentinel instead of a server. */
  readonly sentinel?: boolean
}

/** A real Redis on a loopback port, with its data in a folder of its own. */
export type Redis = {
  readonly port: number
  /** As `STEPGATE_STORE` takes it, with the password. */
  readonly url: string
  readonly password?: string
  readonly certificate?: ServerCertificate
  /** What redis-cli prints of its answer to the default user. */
  call(...command: string[]): Promise<string>
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void
  resume(): void
  /** Ends the process, by default as an operator does; port and data stay for `restart`. */
  halt(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  restart(): Promise<void>
  /** Ends the process and deletes its folder; may be called twice. */
  stop(): Promise<void>
}

/** Starts one; resolves when it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  try {
    return await startIn(folder, options)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function startIn(folder: string, options: RedisOptions): Promise<Redis> {
  const given = options.password === true ? randomBytes(12).toString('hex') : options.password
  const password = given === false ? undefined : given
  if (password !== undefined) declareSecret('password', password)
  const certificate = options.tls
    ? await createCertificate(folder, 'DNS:localhost,IP:127.0.0.1')
    : undefined
  const conf = join(folder, 'redis.conf')
  const arguments_ = [conf, ...(options.sentinel ? ['--sentinel'] : [])]
  const started = await onFreePort(options.port, async (port) => {
    const lines = redisConf(folder, port, options.tls === 'clients', password, certificate)
    await writeFile(conf, [...lines, ...(options.lines ?? [])].join('\n'))
    return launch(arguments_)
  })
  const { port } = started
  let { child } = started

  const user = password === undefined ? '' : `:${password}@`
  return {
    port,
    url: `${certificate ? 'rediss' : 'redis'}://${user}127.0.0.1:${port}`,
    ...(password !== undefined && { password }),
    ...(certificate && { certificate }),
    async call(...command) {
      const tls = certificate
        ? [
            '--tls',
            '--cacert',
            certificate.ca,
            '--cert',
            certificate.cert,
            '--key',
            certificate.key,
          ]
        : []
      const options = { env: { ...process.env, ...(password && { REDISCLI_AUTH: password }) } }
      const args = ['-p', String(port), ...tls, ...command]
      return (await run('redis-cli', args, options)).stdout.trimEnd()
    },
    pause: () => stopProcess(child),
    resume: () => void child.kill('SIGCONT'),
    halt: (signal) => endProcess(child, signal),
    async restart() {
      await endProcess(child)
      child = await launch(arguments_)
    },
    async stop() {
      await endProcess(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function redisConf(
  folder: string,
  port: number,
  clients: boolean,
  password: string | undefined,
  certificate: ServerCertificate | undefined,
): string[] {
  return [
    'bind 127.0.0.1',
    `dir ${folder}`,
    ...(password === undefined ? [] : [`requirepass ${password}`]),
    ...(certificate === undefined
      ? [`port ${port}`]
      : [
          'port 0',
          `tls-port ${port}`,
          `tls-ca-cert-file ${certificate.ca}`,
          `tls-cert-file ${certificate.cert}`,
          `tls-key-file ${certificate.key}`,
          `tls-auth-clients ${clients ? 'yes' : 'no'}`,
        ]),
  ]
}

/** Another process may take a free port before Redis does; then the next one is tried. */
async function onFreePort(
  chosen: number | undefined,
  launchOn: (port: number) => Promise<ChildProcess>,
): Promise<{ child: ChildProcess; port: number }> {
  const errors: unknown[] = []
  while (errors.length < 5) {
    const port = chosen ?? (await freePort())
    try {
      return { child: await launchOn(port), port }
    } catch (error) {
      errors.push(error)
    }
  }
  throw new AggregateError(errors, 'redis-server does not start')
}

async function launch(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', [...args, '--daemonize', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      output += data
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended at once: ${output}`)))
  })
  return child
}
