import { type Launch, runServer } from './run-server.ts'
import type { HostileUpstream, Seen } from './upstream.ts'
import { startNode } from './upstream-node.ts'

/** What the server in front tells of what it has made out; a path in brackets, as it may end in spaces. */
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

function asSeenInFront({ rawHeaders, ...arrived }: Seen): Seen {
  const told = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = rawHeaders.slice(i, i + 2) as [string, string]
    if (name.toLowerCase().startsWith('x-seen-')) told.set(name.toLowerCase(), value)
    else rest.push(name, value)
  }
  const [method = '', target = ''] = told.get(LINE)?.split(' ') ?? []
  return { ...arrived, method, target, path: told.get(PATH)?.slice(1, -1), rawHeaders: rest }
}
