import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostileUpstream } from './upstream.ts'
import { startBehind } from './upstream-behind.ts'

const PROGRAM = '/usr/sbin/apache2'
const MODULES = '/usr/lib/apache2/modules'

/** For `{ skip: apacheMissing }`. */
export const apacheMissing = existsSync(PROGRAM) ? false : `needs ${PROGRAM} (Debian's apache2)`

/** Apache's httpd, as lax as it can be made, with Node's server behind it. */
export function startApache(): Promise<HostileUpstream> {
  return startBehind('Apache', (application) => async (folder, port) => {
    // Its processes may run as another user than the one that made the folder.
    await chmod(folder, 0o755)
    const file = join(folder, 'apache.conf')
    await writeFile(file, configuration(folder, port, application))
    return { program: PROGRAM, args: ['-f', file, '-DFOREGROUND'] }
  })
}

const configuration = (folder: string, port: number, application: URL) => `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
LogLevel crit
${['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http']
  .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
  .join('\n')}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 3600
LimitRequestFieldSize 65536
HttpProtocolOptions Unsafe LenientMethods Allow0.9
AllowEncodedSlashes NoDecode
MergeSlashes Off
ProxyPreserveHost On
ProxyAddHeaders Off
RequestHeader set X-Seen-Line "expr=%{THE_REQUEST}"
RequestHeader set X-Seen-Path "expr=[%{REQUEST_URI}]"
ProxyPass / ${application.origin}/ nocanon
`
