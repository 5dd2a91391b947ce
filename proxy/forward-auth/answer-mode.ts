import { valuesOf } from '../request/raw-headers.ts'

/**
 * What a proxy makes of the answer. `whole`: it lets a request pass on 200 and gives any other answer
 * to the client as it is (Traefik, Caddy, Envoy). `status`: it knows 200, 401 and 403 alone, and takes
 * no more than headers (nginx). `client`: the request has been held back, and this answer is for its
 * client, so that a 200 would be wrong.
 */
export type AnswerMode = 'whole' | 'status' | 'client'

/** By which a proxy says what it can take. Not by the query: Caddy puts that of the request there. */
export const MODE_HEADER = 'x-stepgate-mode'

/** `whole` if nothing is said; undefined when it is said twice, or is no mode. */
export function readMode(rawHeaders: readonly string[]): AnswerMode | undefined {
  const [mode = 'whole', ...more] = valuesOf(rawHeaders, MODE_HEADER)
  const isKnown = mode === 'whole' || mode === 'status' || mode === 'client'
  return isKnown && more.length === 0 ? mode : undefined
}
