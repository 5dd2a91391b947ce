import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Answer, writeAnswer } from './answer.ts'
import type { Exchange } from './exchange.ts'

/**
 * Answers from a Hono route, past Hono: to make a web `Response` and take it apart again costs more
 * than most of our answers.
 */
export function sendAnswer(exchange: Exchange, answer: Answer): Response {
  writeAnswer(exchange, answer)
  return RESPONSE_ALREADY_SENT
}
