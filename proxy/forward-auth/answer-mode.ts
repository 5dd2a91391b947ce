import type { Target } from '../request/target.ts'
import { AUTH_PATH } from './auth-path.ts'

/**
 * What a proxy makes of the answer. `whole`: it lets a request pass on 200 and gives any other answer
 * to the client as it is (Traefik, Caddy, Envoy). `status`: it knows 200, 401 and 403 alone, and takes
 * no more than headers (nginx). `client`: the request has been held back, and this answer is for its
 * client, so that a 200 would be wrong.
 */
export type AnswerMode = 'whole' | 'status' | 'client'

/** The mode that is asked for by `?mode=`; undefined when it is none of them. */
export function readMode({ raw }: Pick<Target, 'raw'>): AnswerMode | undefined {
  // Behind the path of a request, the query is that request's.
  if (!raw.startsWith(`${AUTH_PATH}?`)) return 'whole'
  switch (raw.slice(AUTH_PATH.length)) {
    case '?mode=status':
      return 'status'
    case '?mode=client':
      return 'client'
    default:
      return undefined
  }
}
