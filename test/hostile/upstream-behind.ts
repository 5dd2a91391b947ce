import { type Launch, runServer } from './run-server.ts'
import type { HostileUpstream, Seen } from './upstream.ts'
import { startNode } from './upstream-node.ts'

/** What the server in front tells in headers of its own of what it has made out. */
const LINE = 'x-seen-line'
const PATH = 'x-seen-path'

/** Starts a server that passes on what it has made out to an application of Node's behind it. */
export async function startBehind(
  name: string,
  launch: (application: URL) => Launch,
): Promise<HostileUpstream> {
  const application = await startNode()
  const server = await runServer(launch(application.origin))
  await application.take()
  return {
    name,
    origin: new URL(`http://127.0.0.1:${server.port}`),
    take: async () => (await application.take()).map(asSeenInFront),
    async close() {
      await server.stop()
      await application.close()
    },
  }
}

function asSeenInFront({ rawHeaders, body }: Seen): Seen {
  const told = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = rawHeaders.slice(i, i + 2) as [string, string]
    if (name.toLowerCase().startsWith('x-seen-')) told.set(name.toLowerCase(), value)
    else rest.push(name, value)
  }
  const [method = '', target = ''] = told.get(LINE)?.split(' ') ?? []
  return { method, target, path: told.get(PATH), rawHeaders: rest, body }
}
