import type { Pool } from 'undici'
import type { Upstream, UpstreamAddress } from '../config/config.ts'
import { writeAddress } from '../config/parse-url.ts'
import type { Forwarder } from './forward.ts'
import {
  type AddressHealth,
  freshHealth,
  markFailed,
  markWell,
  pickAddress,
} from './pick-address.ts'
import { connectTarget, createConnect, createPool, type PoolOptions } from './pool-undici.ts'
import { createStreamSender, type StreamSender } from './stream-sender.ts'

/** One address of an application, with its connections. */
export type Address = AddressHealth & {
  /** For logs; it holds no secret. */
  readonly name: string
  readonly pool: Pool
  /** For requests whose head goes ahead of their body. */
  readonly streams: StreamSender
  /** Connects and says no more; rejects if that fails. */
  connect(): Promise<void>
  close(): Promise<void>
}

/** What becomes of an address; `wait` in ms. */
export type HealthEvent =
  | {
      readonly kind: 'skipped'
      readonly name: string
      readonly wait: number
      readonly error: Error
    }
  | { readonly kind: 'back'; readonly name: string }

/** An application with all its addresses; some may be another's as well. */
export type UpstreamGroup = Pick<Upstream, 'host' | 'path'> & {
  readonly addresses: readonly [Address, ...Address[]]
  turn: number
  readonly options: GroupOptions
}

/** `now` in ms, of a clock that never goes back. */
export type GroupOptions = PoolOptions & {
  readonly now?: () => number
  readonly onHealth?: (event: HealthEvent) => void
}

/** Prepares the connections of all upstreams; none is opened before it is needed. */
export function openUpstreams(
  upstreams: readonly Upstream[],
  options: GroupOptions,
): { groups: readonly UpstreamGroup[] } & Pick<Forwarder, 'check' | 'close'> {
  const known = new Map<string, Address>()
  const open = (address: UpstreamAddress) => {
    const name = writeAddress(address)
    const opened = known.get(name) ?? openAddress(name, address, options)
    known.set(name, opened)
    return opened
  }
  const groups = upstreams.map(({ addresses: [first, ...others], ...place }): UpstreamGroup => {
    return { ...place, addresses: [open(first), ...others.map(open)], turn: 0, options }
  })
  return {
    groups,
    async check() {
      const failures = new Map<Address, Error>()
      const attempts = [...known.values()].map((address) =>
        address.connect().catch((error: Error) => failures.set(address, error)),
      )
      await Promise.all(attempts)
      return {
        isWell: groups.every(({ addresses }) => addresses.some((one) => !failures.has(one))),
        failures: [...failures].map(([{ name }, error]) => ({ name, error })),
      }
    },
    async close() {
      await Promise.all([...known.values()].map((address) => address.close()))
    },
  }
}

function openAddress(name: string, address: UpstreamAddress, options: GroupOptions): Address {
  const connect = createConnect(address, options)
  const pool = createPool(address, options, connect)
  const streams = createStreamSender(address, connect, options)
  return {
    ...freshHealth(),
    name,
    pool,
    streams,
    connect: () =>
      new Promise((resolve, reject) => {
        connect(connectTarget(address), (error, socket) => {
          socket?.on('error', () => {}).destroy()
          if (error === null) resolve()
          else reject(error)
        })
      }),
    close: () => pool.close(),
  }
}

/** The address for an exchange; `failed` has just failed it. */
export function takeAddress(group: UpstreamGroup, failed?: Address): Address {
  const { addresses, options } = group
  const address =
    addresses.length === 1
      ? addresses[0]
      : pickAddress(addresses, group.turn++, timeOf(options), failed)
  address.pending += 1
  return address
}

/** An exchange has got no response from the address: others are asked for a while, if there are any. */
export function noteFailure({ addresses, options }: UpstreamGroup, address: Address, error: Error) {
  if (addresses.length === 1) return
  const wait = markFailed(address, timeOf(options))
  if (wait !== undefined) options.onHealth?.({ kind: 'skipped', name: address.name, wait, error })
}

/** An exchange has got a response, whatever its status. */
export function noteResponse({ options }: UpstreamGroup, address: Address): void {
  if (address.failures > 0 && markWell(address)) {
    options.onHealth?.({ kind: 'back', name: address.name })
  }
}

function timeOf({ now }: GroupOptions): number {
  return now === undefined ? performance.now() : now()
}
