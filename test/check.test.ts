import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { clientCredential } from '../demo/provider-store.ts'
import { checkParts } from '../proxy/check.ts'
import { formatProblems } from '../proxy/config/format-problems.ts'
import { loadConfig } from '../proxy/config/load-config.ts'
import { declareSecret, keepLog } from './support/canaries.ts'
import { runCli } from './support/cli.ts'
import { freePort } from './support/free-port.ts'
import { startRedis } from './support/redis.ts'
import { type Slapd, slapdMissing, startSlapd } from './support/slapd.ts'
import { createCertificate } from './support/slapd-certificate.ts'
import { type Surroundings, startSurroundings } from './support/surroundings.ts'
import { startTokenIssuer } from './support/token-issuer.ts'

const folder = mkdtempSync(join(tmpdir(), 'stepgate-check-'))
const notAFolder = join(folder, 'file')
let around: Surroundings
let slapd: Slapd | undefined

before(async () => {
  writeFileSync(notAFolder, '')
  around = await startSurroundings()
  if (!slapdMissing) {
    slapd = await startSlapd()
    declareSecret('LDAP password', slapd.bindPassword)
  }
})
after(async () => {
  await around.close()
  await slapd?.stop()
  rmSync(folder, { recursive: true })
})

const ldap = () => ({
  STEPGATE_LDAP_URL: slapd?.url.href.replace(/\/$/, ''),
  STEPGATE_LDAP_BIND_DN: slapd?.bindDn,
  STEPGATE_LDAP_BIND_PASSWORD: slapd?.bindPassword,
  STEPGATE_LDAP_BASE_DN: slapd?.baseDn,
})

async function check(changes: Readonly<Record<string, string | undefined>>) {
  const loaded = loadConfig(around.env(changes))
  if (loaded.kind === 'invalid') throw new Error(formatProblems(loaded.problems))
  const lines: string[] = []
  const well = await checkParts(loaded.config, loaded.secrets, (line) => lines.push(line))
  keepLog(`${lines.join('\n')}\n`)
  return { well, lines, problems: lines.filter((line) => !line.startsWith('ok ')) }
}

async function onlyProblem(changes: Readonly<Record<string, string | undefined>>) {
  const { well, lines, problems } = await check(changes)
  assert.equal(well, false)
  assert.equal(lines.length, 6, lines.join('\n'))
  assert.equal(problems.length, 1, problems.join('\n'))
  return problems[0] ?? ''
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('with everything there, each part has its ok line and the exit code is 0', {
  skip: slapdMissing,
}, async (t) => {
  const store = join(folder, 'store/stepgate.db')
  const env = around.env({ ...ldap(), STEPGATE_STORE: `sqlite:${store}` })
  const { code, stdout, stderr } = await runCli(t, ['check'], { env })
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stderr, '')
  const issuer = around.provider.issuer.origin
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    `ok       OpenID provider: ${issuer} is known, and it knows the client; register there ${around.url.origin}/_stepgate/callback for sign-in and ${around.url.origin}/_stepgate/signed-out for sign-out`,
    'ok       Numbers: Bound as the service account; the search base is there.',
    `ok       Twilio: Twilio accepts the credentials and the account is active; it will report deliveries to ${around.url.origin}/_stepgate/twilio/status, which it has to reach`,
    `ok       Application: ${around.application.url.origin} answers (HTTP 200)`,
    `ok       Store: ${store} can be written`,
    'ok       Pages: built in',
  ])
  assert.deepEqual(around.twilio.messages(), [], 'nothing is sent to anybody')
})

test('what the configuration warns of stands above, and one problem makes the exit code 1', async (t) => {
  const env = around.env({ STEPGATE_UPSTREAM: `http://127.0.0.1:${await freePort()}` })
  const { code, stdout } = await runCli(t, ['check'], { env })
  assert.equal(code, 1)
  assert.match(stdout, /^warning {2}STEPGATE_STORE is memory/)
  assert.equal(stdout.match(/^PROBLEM/gm)?.length, 1)
})

test('Twilio that can not report to the public URL', async () => {
  const { port } = new URL(around.env({}).STEPGATE_TWILIO_API_URL ?? '')
  const notLoopback = { STEPGATE_TWILIO_API_URL: `http://0.0.0.0:${port}` }
  const { lines } = await check({ ...notLoopback, STEPGATE_PUBLIC_URL: 'https://10.1.2.3' })
  const line = lines.find((one) => one.includes('Twilio:')) ?? ''
  assert.match(
    line,
    /^ok .*not asked to report deliveries.*STEPGATE_PUBLIC_URL.*from the internet$/,
  )
})

test('a provider that is down', async () => {
  const line = await onlyProblem({ STEPGATE_OIDC_ISSUER: `http://127.0.0.1:${await freePort()}` })
  assert.match(line, /^PROBLEM {2}OpenID provider: .*nothing listens there.*STEPGATE_OIDC_ISSUER/)
})

test('a page instead of a provider', async () => {
  const line = await onlyProblem({ STEPGATE_OIDC_ISSUER: around.application.url.origin })
  assert.match(line, /no provider's metadata at .*openid-configuration \(HTTP 404\).*its path too/)
})

test('a provider that is ill', async (t) => {
  const issuer = await serve(t, (_, response) => response.writeHead(503).end())
  const line = await onlyProblem({ STEPGATE_OIDC_ISSUER: issuer })
  assert.match(line, /can't answer now \(HTTP 503\); try again later/)
})

test('a provider that calls itself otherwise', async (t) => {
  const issuer = await serve(t, (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"issuer":"https://login.example.com/realms/staff"}')
  })
  const line = await onlyProblem({ STEPGATE_OIDC_ISSUER: issuer })
  assert.match(line, /calls itself https:\/\/login\.example\.com\/realms\/staff: set STEPGATE_OIDC/)
})

test('a client secret or client id that the provider does not accept', async () => {
  for (const changes of [
    { STEPGATE_OIDC_CLIENT_SECRET: 'another-secret-than-the-provider-has' },
    { STEPGATE_OIDC_CLIENT_ID: 'nobody' },
  ]) {
    const line = await onlyProblem(changes)
    assert.match(line, /OpenID provider: .*STEPGATE_OIDC_CLIENT_ID and STEPGATE_OIDC_CLIENT_SECRET/)
  }
})

test('a client with a key, requests that are pushed, and what the provider does not know', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { key, ...client } = { key: privateKey, ...around.client }
  around.provider.putClient({ ...client, ...clientCredential({ key, algs: ['ES256'] }) })
  t.after(() => around.provider.putClient(around.client))
  const changes = {
    STEPGATE_OIDC_CLIENT_SECRET: undefined,
    STEPGATE_OIDC_CLIENT_KEY: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    STEPGATE_OIDC_PAR: 'on',
    STEPGATE_OIDC_ACR_VALUES: 'gold',
  }
  const { lines } = await check(changes)
  const line = lines.find((one) => one.includes('OpenID provider')) ?? ''
  assert.match(line, /^ok .*it knows the client by its key \(private_key_jwt, ES256\)/)
  assert.match(line, /; it took a pushed authorization request; its metadata does not list gold of/)

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const wrong = other.export({ type: 'pkcs8', format: 'pem' }).toString()
  const problem = await onlyProblem({ ...changes, STEPGATE_OIDC_CLIENT_KEY: wrong })
  assert.match(problem, /STEPGATE_OIDC_CLIENT_ID with what STEPGATE_OIDC_CLIENT_KEY signs/)
})

test('a provider that says nothing about access tokens, and one that does', async (t) => {
  const tokens = {
    STEPGATE_RULES: 'basic /api/** bearer',
    STEPGATE_BEARER_AUDIENCE: 'https://api.example.com',
    STEPGATE_BEARER_INTROSPECTION: '60s',
  }
  const line = await onlyProblem(tokens)
  assert.match(
    line,
    /does not say whether a token is good \(OAUTH_\w+\); .*_BEARER_INTROSPECTION off$/,
  )
  const issuer = await startTokenIssuer()
  t.after(() => issuer.close())
  assert.ok((await check({ ...tokens, STEPGATE_OIDC_ISSUER: issuer.issuer.origin })).well)

  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  issuer.trustClientKey(publicKey)
  await onlyProblem({ ...tokens, STEPGATE_OIDC_ISSUER: issuer.issuer.origin })
  const keyed = {
    STEPGATE_OIDC_ISSUER: issuer.issuer.origin,
    STEPGATE_OIDC_CLIENT_SECRET: undefined,
    STEPGATE_OIDC_CLIENT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  assert.deepEqual((await check({ ...tokens, ...keyed })).problems, [])
  issuer.break()
  await onlyProblem({ ...tokens, STEPGATE_OIDC_ISSUER: issuer.issuer.origin })
})

test('a directory that is down, and one that refuses the password', {
  skip: slapdMissing,
}, async () => {
  const url = `ldap://127.0.0.1:${await freePort()}`
  const down = await onlyProblem({ ...ldap(), STEPGATE_LDAP_URL: url })
  assert.match(down, /^PROBLEM {2}Numbers: .*STEPGATE_LDAP_URL/)
  const refused = await onlyProblem({ ...ldap(), STEPGATE_LDAP_BIND_PASSWORD: 'wrong' })
  assert.match(refused, /^PROBLEM {2}Numbers: .*STEPGATE_LDAP_BIND_PASSWORD/)
})

test('numbers from claims, without the scope that most providers have them in', async () => {
  const numbers = async (scopes: string) =>
    (await check({ STEPGATE_OIDC_SCOPES: scopes })).lines.find((line) => line.includes('Numbers'))
  assert.doesNotMatch((await numbers('openid phone')) ?? '', /STEPGATE_OIDC_SCOPES/)
  assert.match((await numbers('openid')) ?? '', /^ok .*STEPGATE_OIDC_SCOPES does not ask for phone/)
})

test('a token that Twilio does not accept', async () => {
  const line = await onlyProblem({ STEPGATE_TWILIO_TOKEN: 'not-the-token-of-that-account' })
  assert.match(line, /^PROBLEM {2}Twilio: .*STEPGATE_TWILIO_TOKEN/)
})

test('an application that is down, by address and by socket', async () => {
  const down = await onlyProblem({ STEPGATE_UPSTREAM: `http://127.0.0.1:${await freePort()}` })
  assert.match(down, /^PROBLEM {2}Application: .*nothing listens there.*STEPGATE_UPSTREAM/)
  const socket = await onlyProblem({ STEPGATE_UPSTREAM: `unix:${folder}/app.sock` })
  assert.match(socket, /^PROBLEM {2}Application: .*no such socket.*STEPGATE_UPSTREAM/)
})

test('each address of each application is tried, once, and named', async (t) => {
  const [one, two] = [await serve(t, (_, r) => r.end()), await serve(t, (_, r) => r.end())]
  const down = `http://127.0.0.1:${await freePort()}`
  const upstream = `${one}, ${down}; /api → ${two}; app.example.com/x → ${one}`
  const { well, lines } = await check({ STEPGATE_UPSTREAM: upstream })
  assert.equal(well, false)
  assert.deepEqual(
    lines
      .filter((line) => line.includes('Application'))
      .map((line) => line.split(/ answers| was/)[0]),
    [
      `ok       Application app.example.com/x: ${one}`,
      `ok       Application /api: ${two}`,
      `PROBLEM  Application /: ${down}`,
    ],
  )
})

test('without an application it is said who asks instead', async () => {
  const asked = { STEPGATE_UPSTREAM: 'none', STEPGATE_TRUSTED_PROXIES: '10.0.0.5' }
  const { problems, lines } = await check(asked)
  assert.deepEqual(problems, [])
  assert.ok(lines.some((line) => /^ok {7}Application: .* ask \/_stepgate\/auth$/.test(line)))
})

test('an application whose page never ends is there all the same', async (t) => {
  const upstream = await serve(t, (_, response) => response.write('<p>and then'))
  const { problems } = await check({ STEPGATE_UPSTREAM: upstream })
  assert.deepEqual(problems, [])
})

test('a store that can not be written', async () => {
  const line = await onlyProblem({ STEPGATE_STORE: `sqlite:${notAFolder}/stepgate.db` })
  assert.match(line, /^PROBLEM {2}Store: .*file\/stepgate\.db.*STEPGATE_STORE/)
})

test('a Redis is named without its password, with what its operator should know', async (t) => {
  const redis = await startRedis({ password: true, lines: ['maxmemory-policy volatile-lru'] })
  t.after(() => redis.stop())
  const place = `redis://:********@127.0.0.1:${redis.port}/0?prefix=stepgate can be written`
  const found = await check({ STEPGATE_STORE: redis.url })
  assert.ok(found.lines.includes(`ok       Store: ${place}`), found.lines.join('\n'))
  await redis.call('CONFIG', 'SET', 'maxmemory', '1gb')
  const advised = await check({ STEPGATE_STORE: redis.url })
  const line = advised.lines.find((candidate) => candidate.includes('Store')) ?? ''
  assert.ok(line.startsWith(`ok       Store: ${place}; Redis forgets counters and locks`), line)
})

test('a Redis that does not let stepgate in', async (t) => {
  const redis = await startRedis({ password: true })
  t.after(() => redis.stop())
  const line = await onlyProblem({ STEPGATE_STORE: `redis://:wrong@127.0.0.1:${redis.port}` })
  assert.match(
    line,
    /^PROBLEM {2}Store: Redis at 127\.0\.0\.1:\d+ can not be used: .*password is wrong.*STEPGATE_STORE$/,
  )
})

test('a replaced page that is broken', async (t) => {
  const pages = mkdtempSync(join(tmpdir(), 'stepgate-pages-'))
  t.after(() => rmSync(pages, { recursive: true }))
  writeFileSync(join(pages, 'otp.ts'), 'export const other = 1\n')
  const line = await onlyProblem({ STEPGATE_PAGES_DIR: pages })
  assert.match(line, /^PROBLEM {2}Pages: STEPGATE_PAGES_DIR: .*otp\.ts/)
})

test('TLS by stepgate itself: whom the certificate is for, and what is wrong with it', async (t) => {
  const made = mkdtempSync(join(tmpdir(), 'stepgate-check-tls-'))
  t.after(() => rmSync(made, { recursive: true }))
  const others = mkdtempSync(join(tmpdir(), 'stepgate-check-tls-'))
  t.after(() => rmSync(others, { recursive: true }))
  const { cert, key } = await createCertificate(made, 'DNS:app.example.com')
  const other = await createCertificate(others, 'DNS:app.example.com')
  const tls = (host: string, keyFile = key) => ({
    STEPGATE_PUBLIC_URL: `https://${host}`,
    STEPGATE_TLS_CERT_FILE: cert,
    STEPGATE_TLS_KEY_FILE: keyFile,
  })
  const lineOf = async (changes: Readonly<Record<string, string>>) =>
    (await check(changes)).lines.find((line) => line.includes(' TLS: ')) ?? ''
  const day = /^ok {7}TLS: the certificate is for app\.example\.com, until \d{4}-\d\d-\d\d/
  assert.match(await lineOf(tls('app.example.com')), new RegExp(`${day.source}$`))
  assert.match(await lineOf(tls('else.example.com')), new RegExp(`${day.source}; not for else\\.`))
  assert.match(
    await lineOf(tls('app.example.com', other.key)),
    /^PROBLEM {2}TLS: the key is not that of the certificate; look at STEPGATE_TLS_CERT_FILE/,
  )
  assert.equal(await lineOf({}), '')
})

test('an application over TLS: its authority, its name and the certificate that it wants', async (t) => {
  const made = mkdtempSync(join(tmpdir(), 'stepgate-check-tls-'))
  t.after(() => rmSync(made, { recursive: true }))
  const { ca, cert, key } = await createCertificate(made, 'DNS:inner.example')
  const pem = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) }
  const server = createSecureServer({ ...pem, requestCert: true }, (_, response) => response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const env = {
    STEPGATE_UPSTREAM: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    STEPGATE_UPSTREAM_CA_FILE: ca,
    STEPGATE_UPSTREAM_SERVER_NAME: 'inner.example',
    STEPGATE_UPSTREAM_CERT_FILE: cert,
    STEPGATE_UPSTREAM_KEY_FILE: key,
  }
  assert.deepEqual((await check(env)).problems, [])
  const [plain, tls] = [around.application.url.origin, env.STEPGATE_UPSTREAM]
  const several = { ...env, STEPGATE_UPSTREAM: `${plain}, ${tls}; /api → ${tls}` }
  assert.deepEqual((await check(several)).problems, [])
  const without = async (...names: (keyof typeof env)[]) =>
    onlyProblem({ ...env, ...Object.fromEntries(names.map((name) => [name, undefined])) })
  assert.match(await without('STEPGATE_UPSTREAM_CA_FILE'), /not trusted.*STEPGATE_UPSTREAM_CA_FILE/)
  assert.match(
    await without('STEPGATE_UPSTREAM_SERVER_NAME'),
    /another host name.*STEPGATE_UPSTREAM_SERVER_NAME/,
  )
  assert.match(
    await without('STEPGATE_UPSTREAM_CERT_FILE', 'STEPGATE_UPSTREAM_KEY_FILE'),
    /if it wants a certificate, STEPGATE_UPSTREAM_CERT_FILE|misses one.*STEPGATE_UPSTREAM_CERT/,
  )
})
