import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corpusOptions, tryCorpus } from '../hostile/corpus.ts'
import { apacheMissing, startApache } from '../hostile/upstream-apache.ts'
import { nginxMissing, startNginx } from '../hostile/upstream-nginx.ts'
import { startTomcat, tomcatMissing } from '../hostile/upstream-tomcat.ts'

const SERVERS = [
  { name: 'nginx', start: startNginx, skip: nginxMissing },
  { name: 'Apache', start: startApache, skip: apacheMissing },
  { name: 'Tomcat', start: startTomcat, skip: tomcatMissing },
]

for (const { name, start, skip } of SERVERS) {
  test(`${name} sees every request as stepgate judged it, once, with one value of each of our headers`, {
    skip,
  }, async (t) => {
    const upstream = await start()
    t.after(() => upstream.close())
    const { cases, arrived, plainKept } = await tryCorpus(upstream, corpusOptions(2_000))
    t.diagnostic(`${arrived} of ${cases} arrived, ${plainKept} were refused by ${name}`)
    assert.ok(arrived > cases / 5, `only ${arrived} of ${cases} arrived`)
    assert.ok(plainKept < cases / 50, `${plainKept} of ${cases} were refused by ${name}`)
  })
}
