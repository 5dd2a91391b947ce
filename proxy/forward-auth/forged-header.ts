import { remember } from '../remember.ts'
import type { ForwardingKind } from '../request/forwarding-headers.ts'
import { foldName } from '../upstream/header-verdicts.ts'
import { METHOD_OVERRIDES, MISLEADING } from '../upstream/rebuild-headers.ts'
import { MODE_HEADER } from './answer-mode.ts'

/** Written by proxies, so that they may be there, spelled like this. */
const OF_PROXIES: ReadonlySet<string> = new Set([
  MODE_HEADER,
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-method',
  'x-forwarded-uri',
])

/** Read by stepgate itself, and sent by browsers that once had to. The proxy replaces it. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['authorization'])

/**
 * Finds a header by which a client could pass for somebody else, or for another request, with the
 * application. A forwarded request loses them on its way; here the proxy sends what it has, so one that
 * is still there may reach the application. Another spelling of a name (`X_Forwarded_User`) counts,
 * as the proxy may not know that an application takes it for the same. Names are in any case.
 */
export function compileForgedHeader(options: {
  readonly identityNames: readonly string[]
  /** Headers that hold the client's address, which proxies write as well. */
  readonly addressNames: readonly string[]
  /** Whether a rule names methods, so that the method must be the one that was judged. */
  readonly rulesNameMethods: boolean
  /** Which forwarding headers proxies write; nobody has read a `Forwarded` of others. */
  readonly proxyHeaders: ForwardingKind
}): (rawHeaders: readonly string[]) => string | undefined {
  const forged = new Set([
    ...MISLEADING,
    ...(options.rulesNameMethods ? METHOD_OVERRIDES : []),
    ...options.addressNames.map(foldName),
  ])
  const identities = new Set(options.identityNames.map(foldName))
  const addresses = new Set(options.addressNames.map((name) => name.toLowerCase()))
  const isForged = remember((name: string): boolean => {
    const folded = foldName(name)
    const isPlain = name.toLowerCase() === folded
    if (identities.has(folded)) return !(isPlain && OF_CLIENTS.has(folded))
    if (addresses.has(name.toLowerCase())) return false
    if (OF_PROXIES.has(folded)) return !isPlain
    if (folded === 'forwarded') return !isPlain || options.proxyHeaders !== 'forwarded'
    if (folded.startsWith('x-forwarded-') || folded.startsWith('x-stepgate-')) return true
    return forged.has(folded)
  })
  return (rawHeaders) => {
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string
      if (isForged(name)) return name
    }
    return undefined
  }
}
