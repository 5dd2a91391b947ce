/**
 * `npm test`: installs what is missing where it can, checks format, lint and types, runs all tests
 * (or those named as arguments), and searches everything that was logged for secrets.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLeaks } from './support/canaries.ts'

const NEEDED = [
  { program: '/usr/sbin/slapd', package: 'slapd' },
  { program: '/usr/bin/chromium', package: 'chromium' },
  { program: '/usr/bin/openssl', package: 'openssl' },
  { program: '/usr/bin/redis-server', package: 'redis-server' },
  // Of Apache and Tomcat the programs alone, without services that listen.
  { program: '/usr/sbin/nginx', package: 'nginx' },
  { program: '/usr/bin/caddy', package: 'caddy' },
  { program: '/usr/sbin/haproxy', package: 'haproxy' },
  { program: '/usr/sbin/apache2', package: 'apache2-bin' },
  { program: '/usr/bin/java', package: 'default-jre-headless' },
  { program: '/usr/share/tomcat10/bin/bootstrap.jar', package: 'tomcat10-common' },
]

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): boolean {
  const options = { stdio: 'inherit', env: { ...process.env, ...env } } as const
  return spawnSync(command, [...args], options).status === 0
}

function missingPackages(): string[] {
  return NEEDED.filter(({ program }) => !existsSync(program)).map((need) => need.package)
}

function installMissing(): boolean {
  const missing = missingPackages()
  if (missing.length === 0) return true
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say(`Installing ${missing.join(', ')} with apt-get`)
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
    run('apt-get', ['update', '-qq'], quiet)
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], quiet)
    if (missingPackages().length === 0) return true
  }
  say(`The tests need Debian's packages ${missingPackages().join(', ')}.`)
  say(`Install them as root: apt-get install ${missingPackages().join(' ')}`)
  return false
}

function runTests(patterns: readonly string[]): boolean {
  const files = globSync(patterns.length > 0 ? [...patterns] : ['test/**/*.test.ts']).sort()
  if (files.length === 0) {
    say(`No test file matches ${patterns.join(' ')}`)
    return false
  }
  const logs = mkdtempSync(join(tmpdir(), 'stepgate-test-logs-'))
  // Some three hundred processes load the same modules: each is compiled once.
  const compiled = mkdtempSync(join(tmpdir(), 'stepgate-test-compiled-'))
  // Node leaves one processor out, and of two that is half: most tests wait for a server or a browser.
  const atOnce = `--test-concurrency=${Math.max(2, availableParallelism())}`
  const passed = run(process.execPath, ['--test', atOnce, '--test-reporter=dot', ...files], {
    STEPGATE_TEST_LOGS: logs,
    NODE_COMPILE_CACHE: compiled,
  })
  const leaks = findLeaks(logs)
  for (const leak of leaks) say(`LEAK: ${leak}`)
  for (const folder of [logs, compiled]) rmSync(folder, { recursive: true, force: true })
  return passed && leaks.length === 0
}

const patterns = process.argv.slice(2)
const steps: readonly (() => boolean)[] = [
  installMissing,
  () => run('biome', ['check', '.']),
  () => run('tsc', []),
  () => runTests(patterns),
]
process.exitCode = steps.every((step) => step()) ? 0 : 1
