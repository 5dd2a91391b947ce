import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentSecurityPolicy, pageHeaders } from '../../pages/page-headers.ts'
import type { PageName } from '../../pages/page-props.ts'
import { SAMPLES } from '../../pages/samples.ts'
import type { PageSet } from '../../proxy/page-set.ts'

/** Every state of every page, as paths of a sample server. */
export const SAMPLE_PATHS: readonly string[] = Object.entries(SAMPLES).flatMap(([name, samples]) =>
  samples.map((_, index) => `/samples/${name}/${index}`),
)

/** What a form or a way on did at the sample server. */
export type SampleServer = {
  readonly origin: string
  readonly posts: { readonly path: string; readonly body: URLSearchParams }[]
  close(): Promise<void>
}

/** Serves samples with the headers of real pages on loopback; whatever else is asked for stays put (204). */
export async function serveSamples(pages: PageSet): Promise<SampleServer> {
  const posts: { path: string; body: URLSearchParams }[] = []
  const headers = pageHeaders(contentSecurityPolicy(pages))
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://samples')
    if (request.method === 'POST') {
      posts.push({ path: pathname, body: new URLSearchParams(await text(request)) })
      return response.writeHead(204).end()
    }
    const asset = pages.asset(pathname.replace('/_stepgate/assets/', ''))
    if (asset !== undefined) {
      return response.writeHead(200, { 'Content-Type': asset.contentType }).end(asset.body)
    }
    const [, kind, name, index] = pathname.split('/')
    const props = kind === 'samples' && SAMPLES[name as PageName]?.[Number(index)]?.props
    if (!props) return response.writeHead(204).end()
    const lang = searchParams.get('lang')
    const asked = { requestId: '7f3c9a1e', ...(lang !== null && { uiLocales: lang }) }
    const markup = await pages.render(name as PageName, asked, props as never)
    return response.writeHead(200, headers).end(markup)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
