/** A process of its own: httpxy, with connections that are kept. */
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'httpxy'
import { tellOrigin } from './tell-origin.ts'

const [application = ''] = process.argv.slice(2)
const proxy = createProxyServer({ target: application, agent: new Agent({ keepAlive: true }) })

tellOrigin(
  createServer((incoming, outgoing) => {
    proxy.web(incoming, outgoing).catch(() => outgoing.writeHead(502).end())
  }),
)
