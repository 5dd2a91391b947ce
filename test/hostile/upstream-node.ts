import { startCountingUpstream } from '../support/counting-upstream.ts'
import { ANSWERED, type HostileUpstream, type Seen } from './upstream.ts'

/** Node's own HTTP server. Others may stand before it and tell what they saw in `x-seen-` headers. */
export async function startNode(): Promise<HostileUpstream> {
  const upstream = await startCountingUpstream((request, response) => {
    response.end(`${request.headers['x-case']}${ANSWERED}`)
  })
  return {
    name: 'Node',
    origin: upstream.origin,
    take: async () => upstream.take().map((arrival): Seen => ({ ...arrival, path: undefined })),
    close: () => upstream.close(),
  }
}
