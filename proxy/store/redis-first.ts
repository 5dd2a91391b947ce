import type { RedisAddress } from '../config/config.ts'
import { isHopeless, type RedisError } from './redis-error.ts'

/**
 * What the first of several nodes says, asked all at once: one that is gone holds nobody up.
 * When none says anything it rejects with the error that tells the operator most.
 */
export async function askFirst<T>(
  nodes: readonly RedisAddress[],
  ask: (node: RedisAddress) => Promise<T>,
): Promise<T> {
  try {
    return await Promise.any(nodes.map(ask))
  } catch (error) {
    const problems = (error as AggregateError).errors as RedisError[]
    throw problems.find(isHopeless) ?? problems[0]
  }
}
