import type { Clock, Instant } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** Where members are described. */
export interface MemberSources {
  readonly clock: Clock
  /** As the network describes one now. */
  readonly fromNetwork: (id: MemberId, signal: AbortSignal) => Promise<MemberRecord>
  /** As it last did, where that was kept. */
  readonly remembered: (id: MemberId, now: Instant) => Promise<MemberRecord | undefined>
}

/**
 * How long a description counts without asking again. The line is told of every change at once, and has all of them forgotten;
 * while it is down, so long may a member that was suspended still be allowed things here.
 */
const KEPT_MS = 60_000
const KEPT_MAX = 1_000
/** An enforcement point waits for it. */
const TIMEOUT_MS = 2_000

/**
 * Members whom enforcement points ask about. The network is asked for one at most once a minute, and anew when its members have changed, so that what it learns is that
 * somebody here has to do with that member; nothing is pinned by being asked about.
 */
export class KnownAcquirers {
  readonly #sources: MemberSources
  readonly #kept = new Map<string, { readonly record: MemberRecord | undefined; readonly at: Instant }>()
  /** How often all were forgotten. */
  #forgotten = 0

  constructor(sources: MemberSources) {
    this.#sources = sources
  }

  /** `undefined` for whoever is no member, and while the network is away for whoever was not kept. */
  async find(id: MemberId): Promise<MemberRecord | undefined> {
    const now = this.#sources.clock.now()
    const kept = this.#kept.get(id)
    if (kept && Math.abs(now - kept.at) < KEPT_MS) return kept.record
    const forgotten = this.#forgotten
    const asked = await this.#ask(id)
    if (asked === 'away') return this.#sources.remembered(id, now)
    // It may be from before what was told meanwhile, and whoever asks after that is not answered by it.
    if (forgotten !== this.#forgotten) return asked
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(id, { record: asked, at: now })
    return asked
  }

  /** Something of members has changed: each is asked for again. */
  forget(): void {
    this.#forgotten += 1
    this.#kept.clear()
  }

  async #ask(id: MemberId): Promise<MemberRecord | undefined | 'away'> {
    const { clock, fromNetwork } = this.#sources
    try {
      return await withDeadline({ clock, timeoutMs: TIMEOUT_MS }, (signal) => fromNetwork(id, signal))
    } catch (error) {
      return error instanceof PeerRefusal && error.status === 404 ? undefined : 'away'
    }
  }
}
