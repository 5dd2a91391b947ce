import type { IncomingHttpHeaders } from 'node:http'
import { remember } from '../remember.ts'
import { asksForWebSocket } from './web-socket-handshake.ts'

/** How a request wants to be answered: with a page, with data, or by another protocol. */
export type RequestKind = 'navigation' | 'fetch' | 'upgrade'

/**
 * A navigation shows its answer to a person, in a window or a frame, so it can be redirected.
 * Browsers say so by `Sec-Fetch-Mode` (W3C Fetch Metadata); where that is missing, `Accept` names
 * HTML and no script says that it asked. Only a WebSocket counts as an upgrade.
 */
export function kindOf(method: string, headers: IncomingHttpHeaders): RequestKind {
  if (asksForWebSocket({ headers })) return 'upgrade'
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate' ? 'navigation' : 'fetch'
  if (!NAVIGATING_METHODS.has(method) || isByScript(headers)) return 'fetch'
  return acceptsHtml(headers.accept ?? '') ? 'navigation' : 'fetch'
}

const NAVIGATING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/** Whether a browser loads this ahead of a person's wish, who may never come: send her nothing. */
export function isPrefetch(headers: IncomingHttpHeaders): boolean {
  return PREFETCH_HEADERS.some((name) =>
    /\b(?:prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  )
}

const PREFETCH_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']

function isByScript(headers: IncomingHttpHeaders): boolean {
  return /^xmlhttprequest$/i.test(String(headers['x-requested-with'] ?? ''))
}

// Browsers' own are longer than most headers.
const acceptsHtml = remember(readAccept, 200)

function readAccept(accept: string): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.toLowerCase().split(';')
    const html = /^\s*(?:text\/html|application\/xhtml\+xml)\s*$/.test(type)
    return html && !parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0*)?\s*$/.test(parameter))
  })
}
