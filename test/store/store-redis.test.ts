import { parseStore } from '../../proxy/config/parse-store.ts'
import { after, before, it } from 'node:test'
import { createRedisStore } from '../../proxy/store/store-redis.ts'
import { startRedis } from '../support/redis.ts'
import { storeContract } from './contract.ts'

const redis = await startRedis()
after(() => redis.stop())
let n = 0
storeContract('the Redis store', () => {
  const parsed = parseStore(`${redis.url}?prefix=t${n++}`)
  if (parsed.kind === 'wrong' || parsed.value.store.kind !== 'redis') throw new Error()
  return createRedisStore(parsed.value.store, parsed.value.secrets)
})
