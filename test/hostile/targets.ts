import fc from 'fast-check'
import { mostly, type Part, parts } from './part.ts'

/** What the rules of the tests hold back or give to everybody, in spellings of every kind. */
const NAMES = [
  'secret',
  'SECRET',
  '%73ecret',
  'secre%54',
  's%65cret',
  'public',
  'Public',
  '%70ublic',
]
const OWN = ['_stepgate', '%5fstepgate', '_STEPGATE', '_stepgate;x', '_stepgate%3f']
const DOTS = [
  '..',
  '.',
  '%2e%2e',
  '.%2E',
  '..;',
  '..;x=1',
  '..%3b',
  '%252e%252e',
  '...',
  '..%20',
  '..%3f',
]
const JOINTS = [
  '/',
  '/',
  '/',
  '/',
  '//',
  '/./',
  '/;/',
  '/;x/',
  '\\',
  '%2f',
  '%2F',
  '%5c',
  '%252f',
  '/%2e/',
]
const BYTES = [
  '%00',
  '%0a',
  '%0d%0a',
  '%7f',
  '\x7f',
  '\xe9',
  '%e9',
  '\xc3\xa9',
  '%c3%a9',
  '%c0%ae',
  '%e0%80%af',
]
const SIGNS = [
  '%',
  '%zz',
  '%u002e',
  '%25',
  '%20',
  '~',
  ':',
  '@',
  '*',
  '"',
  '|',
  '^',
  '[',
  ']',
  "'",
  '<',
  '{',
  '`',
  '+',
]
const ENDS = [
  '?',
  '?q=1',
  '?x=/public/',
  '?/../',
  '??',
  '?%00',
  '?\xff',
  '?a#b',
  '#',
  '#x',
  '%3f',
  '%3fx',
  '%23',
  '%23x',
  '?"<>',
  '?%zz',
]
const PARAMETERS = [';', ';x=1', ';jsessionid=1', '%3b', '%3bx=1', ';a/b', ';..', ';%2f..']

const piece = fc.constantFrom(
  ...NAMES,
  ...DOTS,
  ...BYTES,
  ...SIGNS,
  ...PARAMETERS,
  'x',
  'index.html',
  '',
)

/** Whatever comes together by chance. */
const heap: fc.Arbitrary<Part<string>> = fc
  .array(fc.oneof(piece, fc.constantFrom(...JOINTS, ...OWN, ...ENDS)), { maxLength: 7 })
  .map((pieces) => ({ kind: 'odd', value: `/${pieces.join('')}` }))

/** A name of the rules, behind and before something that another server could take otherwise. */
const disguised: fc.Arbitrary<Part<string>> = fc
  .tuple(
    fc.constantFrom('', '', '/public', '/x', '/public/y', '/secret', '/%70ublic', '/public;x'),
    fc.constantFrom(...JOINTS),
    fc.oneof(fc.constant(''), fc.tuple(fc.constantFrom(...DOTS), fc.constantFrom(...JOINTS))),
    fc.constantFrom(...NAMES, ...OWN),
    fc.oneof(fc.constant(''), fc.constantFrom(...ENDS, ...PARAMETERS, ...BYTES, '/', '.', '/x')),
  )
  .map(([before, joint, dots, name, after]) => ({
    kind: 'odd',
    value: before + joint + (typeof dots === 'string' ? dots : dots.join('')) + name + after,
  }))

const honest = fc
  .tuple(
    fc.constantFrom(
      '/',
      '/x',
      '/public/a',
      '/public/',
      '/PUBLIC/a',
      '/p%75blic/b',
      '/a/b.html',
      '/%7Ex',
      '/caf%C3%A9',
    ),
    fc.constantFrom('', '', '', '?', '?q=1&r=%2F..%2F', '?u=http://x//y', '?a=b?c=d'),
  )
  .map(([path, query]): Part<string> => ({ kind: 'plain', value: path + query }))

/** Targets of requests, bytes as latin1 text. */
export const targets: fc.Arbitrary<Part<string>> = mostly(
  honest,
  8,
  heap,
  disguised,
  disguised,
  mostly(
    parts('plain', '/public/x;y=1', '/x;y', "/x'y", '/x(1)', '/@x:y', '/%25', '/a%20b', '/%e9'),
    2,
    parts(
      'refused',
      '*',
      '',
      'secret',
      'http://app.example.com/public/x',
      'HTTP://127.0.0.1/secret',
    ),
    parts(
      'refused',
      'app.example.com:443',
      '//app.example.com/x',
      'file:///x',
      '?x',
      '#',
      '\\x',
      ';',
    ),
  ),
)
