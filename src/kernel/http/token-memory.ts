import type { Clock, Instant } from '../clock.ts'
import { LIMITS } from '../limits.ts'

/** Remembers which tokens were used, for as long as they could be used again. */
export interface TokenMemory {
  /** Whether this is the first use of the token; remembers it. */
  use(token: { readonly issuer: string; readonly jti: string; readonly expires: Instant }): boolean
}

/** Most tokens kept at once; past it, the door refuses rather than forgets (25 MB or so). */
const TOKENS_MAX = 200_000

/** Keeps used tokens in memory and sweeps those that have expired beyond the allowed skew. */
export function tokenMemory(clock: Clock): TokenMemory {
  const used = new Map<string, Instant>()
  let sweptAt = clock.now()
  const sweep = (): void => {
    const now = clock.now()
    sweptAt = now
    for (const [token, expires] of used) if (expires + LIMITS.clockSkewMsMax < now) used.delete(token)
  }
  return {
    use({ issuer, jti, expires }) {
      if (clock.now() - sweptAt > 30_000 || used.size >= TOKENS_MAX) sweep()
      const token = `${issuer}\0${jti}`
      if (used.has(token) || used.size >= TOKENS_MAX) return false
      used.set(token, expires)
      return true
    },
  }
}
