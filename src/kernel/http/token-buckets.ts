import type { Clock, Instant } from '../clock.ts'
import { sha256 } from '../digest.ts'
import type { Random } from '../random.ts'

/** How much somebody may ask for: so many in a row, and so many a second from then on. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Buckets that are remembered at once, 100 bytes each; one that is full again is as good as none and is forgotten first. */
const BUCKETS_MAX = 50_000

/**
 * A token bucket for each name, as one moment a name, in milliseconds and parts of them: when its bucket will be full again (the generic cell rate algorithm,
 * ITU-T I.371). Names stand here as digests under a key of this process alone, because an address of a machine, or a
 * person's digest, is personal data: nothing leads back from what is in memory to anybody.
 */
export class TokenBuckets {
  readonly #clock: Clock
  readonly #eachMs: number
  readonly #burstMs: number
  readonly #key: string
  readonly #fullAt = new Map<string, number>()

  constructor({ rate, clock, random }: { rate: Rate; clock: Clock; random: Random }) {
    this.#clock = clock
    this.#eachMs = 1_000 / rate.perSecond
    this.#burstMs = rate.burst * this.#eachMs
    this.#key = Buffer.from(random.bytes(32)).toString('base64url')
  }

  /** Takes one token; gives 0, or how long it is until there will be one, and then none is taken. */
  take(name: string): number {
    const digest = this.#digestOf(name)
    const now = this.#clock.now()
    const fullAt = this.#fullAtOf(digest, now) + this.#eachMs
    const waitMs = fullAt - now - this.#burstMs
    if (waitMs > 0) return waitMs
    // Set anew, so that the map is in the order of last use.
    this.#fullAt.delete(digest)
    if (this.#fullAt.size >= BUCKETS_MAX) this.#forget(now)
    this.#fullAt.set(digest, fullAt)
    return 0
  }

  /** How long it is until there is a token; 0 when there is one. Takes none. */
  waitMs(name: string): number {
    const now = this.#clock.now()
    return Math.max(0, this.#fullAtOf(this.#digestOf(name), now) + this.#eachMs - now - this.#burstMs)
  }

  /** How many buckets are remembered. */
  get size(): number {
    return this.#fullAt.size
  }

  #fullAtOf(digest: string, now: Instant): number {
    const fullAt = Math.max(this.#fullAt.get(digest) ?? now, now)
    const emptyMs = now + this.#burstMs
    if (fullAt <= emptyMs) return fullAt
    // The clock was set back: no bucket is emptier than empty, from now on.
    this.#fullAt.set(digest, emptyMs)
    return emptyMs
  }

  #forget(now: Instant): void {
    for (const [digest, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(digest)
    const [oldest] = this.#fullAt.keys()
    if (this.#fullAt.size >= BUCKETS_MAX && oldest !== undefined) this.#fullAt.delete(oldest)
  }

  #digestOf(name: string): string {
    return Buffer.from(sha256(`${this.#key}${name}`)).toString('base64url', 0, 18)
  }
}
