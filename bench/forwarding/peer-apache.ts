import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { CLIENT } from '../codes/provider.ts'
import { launch, onCores } from '../processes.ts'
import { type Server, type Setting, serverOf } from './setting.ts'

const MODULES = '/usr/lib/apache2/modules'
const CALLBACK = '/oidc/callback'

/** The module's file, without which there is nothing to start. */
export const AUTH_MODULE = `${MODULES}/mod_auth_openidc.so`

/**
 * Apache with mod_auth_openidc as it is by default (sessions in shared memory), the event MPM in one
 * process, connections that are kept both ways, and no access log.
 */
export async function startApache(setting: Setting): Promise<Server> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const { folder, standIns } = setting
  const modules = [
    ...['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http'],
    ...['headers', 'auth_openidc'],
  ]
  const file = join(folder, 'apache.conf')
  await writeFile(
    file,
    `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
ServerName 127.0.0.1:${port}
Listen 127.0.0.1:${port}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup\n' : ''}ErrorLog ${folder}/apache.log
LogLevel error
StartServers 1
ServerLimit 1
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
KeepAlive On
KeepAliveTimeout 60
MaxKeepAliveRequests 0
OIDCProviderMetadataURL ${standIns}/.well-known/openid-configuration
OIDCClientID ${CLIENT.id}
OIDCClientSecret ${CLIENT.secret}
OIDCRedirectURI ${origin}${CALLBACK}
OIDCCryptoPassphrase a-passphrase-of-the-bench
OIDCRemoteUserClaim preferred_username
OIDCSessionInactivityTimeout 36000
<Location />
  AuthType openid-connect
  Require claim groups:staff
</Location>
RequestHeader set X-Forwarded-Proto http
ProxyPreserveHost On
ProxyPass ${CALLBACK} !
ProxyPass / ${setting.application}/ keepalive=On
`,
  )
  const command = [...onCores(setting.cores.measured), 'apache2', '-DFOREGROUND', '-f', file]
  const child = launch(command, {}, ['ignore', 'ignore', 'inherit'])
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`apache2 ended with ${child.exitCode}`)
    return (await visit(`${origin}/small`).catch(() => undefined))?.statusCode === 302
  })
  return serverOf(child, origin)
}

/** Signs in at the provider as a browser does; the request's Cookie header. */
export async function signInAtApache({ origin }: Server): Promise<string> {
  const cookies = new Map<string, string>()
  let url = `${origin}/small`
  for (let step = 0; step < 5; step++) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const { statusCode, headers } = await visit(url, url.startsWith(origin) ? cookie : '')
    for (const line of [headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const { location } = headers
    if (location === undefined) {
      if (statusCode === 200) return cookie
      throw new Error(`Apache answered ${statusCode} to ${url}`)
    }
    url = new URL(String(location), url).href
  }
  throw new Error(`Apache still redirects, to ${url}`)
}

/** As a browser shows a page: a script would be told 401. */
async function visit(url: string, cookie = '') {
  const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
  const { statusCode, ...answer } = await request(url, {
    headers: cookie === '' ? headers : { ...headers, cookie },
  })
  await answer.body.dump()
  return { statusCode, headers: answer.headers }
}
