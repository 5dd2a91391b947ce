import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createBoard } from './application-board.ts'
import {
  adminPage,
  applicationStyles,
  boardPage,
  homePage,
  payrollPage,
  plainPage,
  receivedPage,
  salariesPage,
} from './application-pages.ts'
import {
  createRequestLog,
  type RequestLog,
  readBody,
  type SeenRequest,
} from './application-requests.ts'
import { readNumber, receiveUpload, sendDownload, sendEvents } from './application-streams.ts'

/** The application that knows nothing of modern sign-in, running. */
export type DemoApplication = {
  readonly url: URL
  /** The requests of late as they arrived, oldest first. */
  requests(): SeenRequest[]
  close(): Promise<void>
}

type Exchange = {
  readonly seen: SeenRequest
  readonly query: URLSearchParams
  readonly response: ServerResponse
}

type Handler = (exchange: Exchange) => Promise<void> | void

/**
 * Starts Payroll 2004 on loopback; port 0 takes a free one. It believes every header that it gets,
 * so whoever reaches it directly may be anybody.
 */
export async function startApplication(options: {
  readonly port: number
  readonly host?: string
}): Promise<DemoApplication> {
  const log = createRequestLog()
  // The headers of several groups are longer than Node expects.
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    answer(log, request, response).catch((error: Error) => {
      process.stderr.write(`application: ${error.stack}\n`)
      response.destroy()
    })
  })
  const board = createBoard()
  server.on('upgrade', (request, socket: Socket, head) => {
    log.begin(request)({ bytes: Buffer.alloc(0), complete: true })
    board.take(request, socket, head)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? '127.0.0.1', resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: new URL(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}`),
    requests: log.list,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      board.close()
      await closed
    },
  }
}

async function answer(
  log: RequestLog,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = log.begin(request)
  const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s)
  const query = new URLSearchParams(search)
  if (path === '/upload') return answerUpload(request, response, end)

  const body = await readBody(request)
  if (!body) {
    const seen = end({ bytes: Buffer.alloc(0), complete: false })
    return sendPage(response, 413, plainPage(seen, { title: 'Too large', text: 'At most 10 MB.' }))
  }
  const seen = end({ bytes: body, complete: true })
  const method = seen.method === 'HEAD' ? 'GET' : seen.method
  const handler = ROUTES.get(`${method} ${path}`) ?? ROUTES.get(path) ?? notFound
  await handler({ seen, query, response })
}

/** By method and path, or by path alone where the method does not matter. */
const ROUTES: ReadonlyMap<string, Handler> = new Map(
  Object.entries<Handler>({
    'GET /': ({ seen, response }) => {
      const visits = Number(/\bpayroll-visits=(\d{1,6})\b/.exec(`${seen.headers.cookie}`)?.[1] ?? 0)
      response.setHeader(
        'set-cookie',
        `payroll-visits=${visits + 1}; Path=/; HttpOnly; SameSite=Lax`,
      )
      return sendPage(response, 200, homePage(seen, visits + 1))
    },
    'GET /payroll': ({ seen, response }) => sendPage(response, 200, payrollPage(seen)),
    'GET /admin': ({ seen, response }) => sendPage(response, 200, adminPage(seen)),
    'GET /basic': ({ seen, response }) =>
      sendPage(
        response,
        200,
        plainPage(seen, {
          title: 'Telephone list',
          path: '/basic',
          text: 'Reception 100, payroll office 217, canteen 333.',
        }),
      ),
    'GET /public': ({ seen, response }) =>
      sendPage(
        response,
        200,
        plainPage(seen, {
          title: 'Canteen menu',
          path: '/public',
          text: 'Monday: lentil soup. Tuesday: fish. Friday: what is left.',
        }),
      ),
    'GET /board': ({ seen, response }) => sendPage(response, 200, boardPage(seen)),
    'POST /form': ({ seen, response }) => sendPage(response, 200, receivedPage(seen)),
    'GET /salaries': ({ seen, response }) => sendPage(response, 200, salariesPage(seen)),
    '/challenge': answerChallenge,
    '/whoami': ({ seen, response }) => {
      const { method, url, headers, body } = seen
      sendJson(response, 200, { method, url, headers, body })
    },
    'GET /events': ({ query, response }) => sendEvents(query, response),
    'GET /download': ({ seen, query, response }) => {
      if (sendDownload(query, response)) return
      return sendPage(response, 400, plainPage(seen, { title: 'Too much', text: 'At most 10 GB.' }))
    },
    'GET /slow': ({ query, response }) => {
      const timer = setTimeout(
        () => sendJson(response, 200, { slow: true }),
        Math.min(readNumber(query, 'ms', 3000), 600_000),
      )
      response.once('close', () => clearTimeout(timer))
    },
    'GET /payroll.css': ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/css; charset=utf-8' }).end(applicationStyles)
    },
  }),
)

/**
 * Asks for a code by itself (RFC 9470 §3) until the request says that there was one, within the last
 * `max_age` seconds if the query names them; `always=yes` is never satisfied.
 */
function answerChallenge({ seen, query, response }: Exchange): Promise<void> {
  const maxAge = query.has('max_age') ? readNumber(query, 'max_age', 0) : undefined
  const age = Date.now() / 1000 - Number(seen.headers['x-stepgate-otp-time'] ?? 0)
  const satisfied =
    seen.headers['x-stepgate-acr'] === 'twilio_sms' &&
    (maxAge === undefined || age <= maxAge) &&
    query.get('always') !== 'yes'
  if (satisfied) {
    const done = {
      title: 'Salary change',
      path: '/challenge',
      text: 'You may change salaries now.',
    }
    return sendPage(
      response,
      200,
      seen.method === 'POST' ? receivedPage(seen) : plainPage(seen, done),
    )
  }
  response.setHeader(
    'www-authenticate',
    'Bearer error="insufficient_user_authentication", ' +
      'error_description="Changing a salary needs a code by SMS", ' +
      `acr_values="twilio_sms"${maxAge === undefined ? '' : `, max_age="${maxAge}"`}`,
  )
  const refused = { title: 'Not allowed', text: 'Changing a salary needs a code by SMS.' }
  return sendPage(response, 401, plainPage(seen, refused))
}

async function answerUpload(
  request: IncomingMessage,
  response: ServerResponse,
  end: ReturnType<RequestLog['begin']>,
): Promise<void> {
  const bytes = Buffer.alloc(0)
  if (request.method !== 'POST' && request.method !== 'PUT') {
    end({ bytes, complete: true })
    return sendJson(response, 405, { error: 'POST or PUT a file here' }, { allow: 'POST, PUT' })
  }
  try {
    const received = await receiveUpload(request)
    end({ bytes, complete: true })
    sendJson(response, 200, received)
  } catch {
    // The sender has left in the middle, so there is nobody to answer.
    end({ bytes, complete: false })
  }
}

function notFound({ seen, response }: Exchange): Promise<void> {
  const text = 'There is no such page in Payroll 2004.'
  return sendPage(response, 404, plainPage(seen, { title: 'Page not found', text }))
}

async function sendPage(
  response: ServerResponse,
  status: number,
  page: ReturnType<typeof plainPage>,
): Promise<void> {
  const body = String(await page)
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body)
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(`${JSON.stringify(value, null, 2)}\n`)
}
