import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './dockerfile.ts'

type Package = {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

// A registry that lacks some platform's package leaves it out, and then `npm ci` fails everywhere.
test('the lockfile has every package that one of its packages names, for other platforms too', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const packages: Readonly<Record<string, Package>> = lock.packages
  const present = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
  )
  const missing = Object.values(packages)
    .flatMap(({ dependencies, optionalDependencies }) =>
      Object.keys({ ...dependencies, ...optionalDependencies }),
    )
    .filter((name) => !present.has(name))
  assert.deepEqual(missing, [])
})

test('the lockfile names no registry', () => {
  assert.doesNotMatch(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'), /"resolved"/)
})

test('everybody gets the same Node, whatever machine it is', () => {
  const { optionalDependencies = {} }: Package = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  const runtimes = Object.entries(optionalDependencies).filter(([name]) => /^node-/.test(name))
  assert.equal(runtimes.length, 5)
  assert.equal(new Set(runtimes.map(([, version]) => version)).size, 1)
})
