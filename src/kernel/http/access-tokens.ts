import { later } from '../clock.ts'
import type { Clock, Instant } from '../clock.ts'
import { sha256 } from '../digest.ts'
import { LIMITS } from '../limits.ts'
import type { Random } from '../random.ts'

/** 32 bytes in base64url. */
export const ACCESS_TOKEN_LENGTH = 43

/** Tokens that were given at once: more only come from a client that never uses them. */
const TOKENS_MAX = 50_000

/** Of one name: as many programs as may use one key at a time. The oldest goes first, so nobody's flood takes those of others. */
const TOKENS_OF_NAME_MAX = 100

/**
 * Access tokens that were exchanged for assertions (RFC 7523 §2.1): opaque, bound to a name, five minutes. Only their
 * digests are kept, in memory: after a restart they are exchanged anew.
 */
export class AccessTokens {
  readonly #clock: Clock
  readonly #random: Random
  readonly #tokens = new Map<string, { readonly name: string; readonly expires: Instant }>()
  readonly #ofName = new Map<string, Set<string>>()

  constructor({ clock, random }: { clock: Clock; random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** A new token for a name. */
  give(name: string): { readonly token: string; readonly lifetimeMs: number } {
    const token = Buffer.from(this.#random.bytes(32)).toString('base64url')
    if (this.#tokens.size >= TOKENS_MAX) this.forgetExpired()
    const oldest = this.#tokens.keys().next().value
    if (this.#tokens.size >= TOKENS_MAX && oldest !== undefined) this.#forget(oldest)
    const [oldestOwn] = this.#ofName.get(name) ?? []
    if (oldestOwn !== undefined && this.#countOf(name) >= TOKENS_OF_NAME_MAX) this.#forget(oldestOwn)
    const digest = digestOfToken(token)
    this.#tokens.set(digest, { name, expires: later(this.#clock.now(), LIMITS.tokenLifetimeMsMax) })
    this.#ofName.set(name, (this.#ofName.get(name) ?? new Set()).add(digest))
    return { token, lifetimeMs: LIMITS.tokenLifetimeMsMax }
  }

  /** The same as the answer of `POST /v1/token` (RFC 6749 §5.1). */
  answer(name: string): {
    readonly access_token: string
    readonly token_type: 'Bearer'
    readonly expires_in: number
  } {
    const { token, lifetimeMs } = this.give(name)
    return { access_token: token, token_type: 'Bearer', expires_in: Math.floor(lifetimeMs / 1000) }
  }

  /** Whose token it is; `undefined` when it is nobody's or has expired. */
  nameOf(token: string): string | undefined {
    const known = this.#tokens.get(digestOfToken(token))
    return known && known.expires > this.#clock.now() ? known.name : undefined
  }

  /** Takes every token of a name away: its keys changed, or it was suspended. */
  revoke(name: string): void {
    for (const digest of this.#ofName.get(name) ?? []) this.#forget(digest)
  }

  forgetExpired(): void {
    const now = this.#clock.now()
    for (const [digest, { expires }] of this.#tokens) if (expires <= now) this.#forget(digest)
  }

  #countOf(name: string): number {
    return this.#ofName.get(name)?.size ?? 0
  }

  #forget(digest: string): void {
    const known = this.#tokens.get(digest)
    this.#tokens.delete(digest)
    const own = known && this.#ofName.get(known.name)
    own?.delete(digest)
    if (known && own?.size === 0) this.#ofName.delete(known.name)
  }
}

function digestOfToken(token: string): string {
  return Buffer.from(sha256(token)).toString('base64url')
}
