import assert from 'node:assert/strict'
import test from 'node:test'
import { unknownNames } from '../../proxy/config/unknown-names.ts'

function problemOf(name: string, value = 'x'): string | undefined {
  return unknownNames({ [name]: value })[0]?.problem
}

test('an unknown name is refused with the nearest known one', () => {
  assert.equal(
    problemOf('STEPGATE_UPSTRM'),
    'is unknown; the nearest known one is STEPGATE_UPSTREAM',
  )
  assert.match(problemOf('STEPGATE_PUBLICURL') ?? '', /one is STEPGATE_PUBLIC_URL$/)
  assert.match(problemOf('STEPGATE_public_url') ?? '', /the nearest known one is STEPGATE_/)
  assert.match(problemOf('STEPGATE_TWILIO_TOKEN_FIEL') ?? '', /one is STEPGATE_TWILIO_TOKEN_FILE$/)
  assert.match(problemOf('STEPGATE_') ?? '', /the nearest known one is STEPGATE_/)
})

test('an unknown name is refused even when it is empty', () => {
  assert.match(problemOf('STEPGATE_LISTN', '') ?? '', /one is STEPGATE_LISTEN$/)
})

test('variables of versions to come are not known yet', () => {
  for (const name of ['ADMIN_ACR', 'BROKER_CLIENTS']) {
    assert.match(problemOf(`STEPGATE_${name}`) ?? '', /is unknown/, name)
  }
})

test('what is no secret can not come from a file', () => {
  assert.equal(
    problemOf('STEPGATE_UPSTREAM_FILE'),
    'is unknown: only secrets can come from a file; the nearest known one is STEPGATE_UPSTREAM',
  )
})

test("other programs' variables, secrets' files and the demo's port are let be", () => {
  assert.deepEqual(
    unknownNames({
      PATH: '/bin',
      STEPGATEX: '1',
      STEPGATE_SESSION_SECRET_FILE: 'x',
      STEPGATE_TLS_CERT_FILE: 'x',
      STEPGATE_DEMO_PORT: '9080',
    }),
    [],
  )
})

test('what Kubernetes tells of a service named stepgate is let be', () => {
  assert.deepEqual(
    unknownNames({
      STEPGATE_SERVICE_HOST: '10.0.0.1',
      STEPGATE_SERVICE_PORT: '8080',
      STEPGATE_SERVICE_PORT_HTTP: '8080',
      STEPGATE_PORT: 'tcp://10.0.0.1:8080',
      STEPGATE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      STEPGATE_PORT_8080_TCP_PROTO: 'tcp',
      STEPGATE_PORT_8080_TCP_PORT: '8080',
      STEPGATE_PORT_8080_TCP_ADDR: '10.0.0.1',
      STEPGATE_BLUE_SERVICE_HOST: '10.0.0.2',
      STEPGATE_BLUE_PORT: 'tcp://10.0.0.2:8080',
    }),
    [],
  )
  assert.match(problemOf('STEPGATE_PORT', '8080') ?? '', /is unknown/)
  assert.match(problemOf('STEPGATE_SERVICE', 'x') ?? '', /is unknown/)
})
