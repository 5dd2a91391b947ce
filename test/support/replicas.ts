import { startBalancer } from './balancer.ts'
import { startCli } from './cli.ts'
import { freePort } from './free-port.ts'
import { startRedis } from './redis.ts'
import { startSurroundings } from './surroundings.ts'
import type { World } from './world.ts'

/** Where people meet stepgate, whatever it consists of. */
export type Place = Pick<World, 'url' | 'application' | 'codeFor' | 'close'>

/** Three processes behind one address, on one Redis. */
export async function startReplicas(rules: string): Promise<Place> {
  const around = await startSurroundings()
  const redis = await startRedis({ password: true })
  const ports = [await freePort(), await freePort(), await freePort()]
  const balancer = await startBalancer(Number(around.url.port), ports)
  const ends: (() => unknown)[] = []
  const replicas = ports.map(async (port) => {
    const env = around.env({
      STEPGATE_LISTEN: `127.0.0.1:${port}`,
      STEPGATE_STORE: redis.url,
      STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
      STEPGATE_RULES: rules,
    })
    const cli = startCli({ after: (end) => void ends.push(end) }, ['start'], { env })
    await cli.until(/OpenID provider is known/)
  })
  await Promise.all(replicas)
  return {
    ...around,
    async close() {
      await balancer.close()
      for (const end of ends) await end()
      await around.close()
      await redis.stop()
    },
  }
}
