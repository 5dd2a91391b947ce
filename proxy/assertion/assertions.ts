import type { Session } from '../session/session.ts'
import { createAssertionKeys, type PublicKey } from './assertion-keys.ts'
import { createMint } from './mint-assertion.ts'

/** The signed word of stepgate about who is asking. */
export type Assertions = {
  /** The header's value for a session. */
  mint(session: Session, now: number): string
  /** What is served at `/_stepgate/jwks.json`. */
  published(now: number): readonly PublicKey[]
}

/** How the header is called. */
export const ASSERTION_HEADER = 'X-Stepgate-Assertion'

/** Assertions about people at `publicUrl`, signed with keys made of the session secrets. */
export function createAssertions(
  publicUrl: URL,
  secrets: readonly [string, ...string[]],
): Assertions {
  const keys = createAssertionKeys(secrets)
  return { mint: createMint(keys, publicUrl.origin), published: keys.published }
}

/** Headers of a session with its assertion behind them; nothing for nobody. */
export function withAssertion(
  identityOf: (session: Session | undefined) => readonly string[],
  assertions: Assertions | undefined,
): (session: Session | undefined, now: number) => readonly string[] {
  if (assertions === undefined) return identityOf
  return (session, now) => {
    const headers = identityOf(session)
    return session === undefined
      ? headers
      : [...headers, ASSERTION_HEADER, assertions.mint(session, now)]
  }
}
