import { sql } from 'kysely'
import type { z } from 'zod'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Digest } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { workSchema } from '../../protocol/http/network-api.ts'
import type { BookedAsk } from '../authorisation/decided-ask.ts'
import type { Directory } from '../membership/directory.ts'

/** Work in its wire form. */
export type WorkMessage = Omit<z.input<typeof workSchema>, 'directory'>

interface WorkRow {
  readonly sequence: bigint
  readonly ask: string
  readonly acquirer: string
  readonly data_set: string
  readonly limit_minor: bigint
  readonly currency: Currency
  readonly is_dry_run: boolean
  readonly expires_at: Instant
  readonly jws: string | null
  readonly batch_index: number | null
  readonly batch: string | null
  readonly batch_digest: Digest | null
  readonly processor: string | null
}

/** An ask as a site is given it, and the batch that it came in. */
interface Work {
  readonly ask: string
  readonly sequence: bigint
  readonly item: WorkMessage['items'][number]
  readonly batch: string | null
}

interface FreshWork extends Work {
  readonly arrival: number
}

/** What was given to a site: from where to look for more, and until when what it has is not given again. */
interface GivenOut {
  after: bigint
  /** When the record was last found to hold nothing more, and how many arrivals had been told of before it was read. */
  drained: { readonly at: Instant; readonly arrivals: number } | undefined
  readonly lent: Map<string, { readonly sequence: bigint; readonly until: Instant }>
}

/**
 * The work of sites. What waits is in the database; what was given out is remembered here for a while, so that a site
 * that asks again at once gets the next ones, and one that went away gets the same ones later. Where nothing has come
 * since it was last looked the record is not read again: a site that has just taken an ask asks for more at once.
 */
export class WorkDesk {
  readonly #db: Database
  readonly #clock: Clock
  readonly #directory: Directory
  readonly #givenOut = new Map<string, GivenOut>()
  readonly #arrivals = new Map<string, number>()
  /** Asks that came since and are known without reading them, by site. */
  readonly #fresh = new Map<string, FreshWork[]>()

  constructor({ db, clock, directory }: { db: Database; clock: Clock; directory: Directory }) {
    this.#db = db
    this.#clock = clock
    this.#directory = directory
  }

  /** Asks that wait for a site, oldest first. `isResuming` gives everything that waits, also what was given out. */
  async pull(
    site: string,
    { limit, isResuming }: { limit: number; isResuming: boolean },
  ): Promise<WorkMessage> {
    const now = this.#clock.now()
    const given = this.#openGivenOut(site, { now, isResuming })
    const arrivals = this.#arrivals.get(site) ?? 0
    if (isStillDrained(given, { arrivals, now })) return this.#message([])
    const known = this.#takeFresh(site, { given, arrivals, limit, now })
    if (known) return this.#message(known)
    const most = limit + given.lent.size
    const rows = await this.#waiting(site, { after: given.after, limit: most, now })
    const waiting = rows.filter(({ ask }) => !given.lent.has(ask))
    const fresh = waiting.slice(0, limit)
    given.drained = rows.length < most && fresh.length === waiting.length ? { at: now, arrivals } : undefined
    for (const row of fresh) lend(given, row, now)
    return this.#message(fresh.map(workOf))
  }

  /** Asks for these sites are durable: the record has to be read again, unless what came is known. */
  came(sites: ReadonlySet<string>, booked?: BookedAsk): void {
    for (const site of sites) {
      const arrival = (this.#arrivals.get(site) ?? 0) + 1
      this.#arrivals.set(site, arrival)
      const work = booked && freshWork(booked, site)
      if (!work) continue
      const fresh = this.#fresh.get(site) ?? []
      if (fresh.push({ ...work, arrival }) > LIMITS.workItemsMax) fresh.shift()
      this.#fresh.set(site, fresh)
    }
  }

  /** What came since the record was last found to hold nothing more, if all of it is known. */
  #takeFresh(
    site: string,
    { given, arrivals, limit, now }: { given: GivenOut; arrivals: number; limit: number; now: Instant },
  ): readonly FreshWork[] | undefined {
    const fresh = this.#fresh.get(site) ?? []
    this.#fresh.delete(site)
    const { drained } = given
    if (!drained || now >= later(drained.at, LIMITS.longPollMs)) return undefined
    const since = fresh.filter(({ arrival }) => arrival > drained.arrivals)
    if (since.length < arrivals - drained.arrivals || since.length > limit) return undefined
    // The record may have been read after an ask was booked and before it was told of here: then it was given already.
    const ungiven = since.filter(({ sequence }) => sequence > given.after)
    for (const work of ungiven) lend(given, work, now)
    given.drained = { at: drained.at, arrivals }
    return ungiven.filter(({ item }) => item.expires > formatInstant(now))
  }

  /** A site has answered an ask: it is not lent any longer. */
  answered(site: string, ask: string): void {
    this.#givenOut.get(site)?.lent.delete(ask)
  }

  /** How many asks a site was given and has not answered. */
  givenOut(site: string): number {
    return this.#givenOut.get(site)?.lent.size ?? 0
  }

  #openGivenOut(site: string, { now, isResuming }: { now: Instant; isResuming: boolean }): GivenOut {
    const known = this.#givenOut.get(site)
    const given = known && !isResuming ? known : { after: 0n, drained: undefined, lent: new Map() }
    this.#givenOut.set(site, given)
    for (const [ask, { sequence, until }] of given.lent) {
      if (until > now) continue
      given.lent.delete(ask)
      given.drained = undefined
      if (sequence <= given.after) given.after = sequence - 1n
    }
    return given
  }

  async #waiting(
    site: string,
    { after, limit, now }: { after: bigint; limit: number; now: Instant },
  ): Promise<readonly WorkRow[]> {
    const { rows } = await sql<WorkRow>`
      ${KEPT} select s.sequence, s.ask, a.acquirer, a.data_set, s.limit_minor, a.currency, a.is_dry_run, a.expires_at, a.jws, a.batch_index,
        a.batch,
        b.digest as batch_digest, b.processor
      from ask_site s join ask a on a.id = s.ask left join ask_batch b on b.id = a.batch
      where s.site = ${site} and s.status = 'waiting' and s.sequence > ${after} and a.expires_at > ${formatInstant(now)}::timestamptz
      order by s.sequence limit ${limit}`.execute(this.#db)
    return rows
  }

  async #message(work: readonly Work[]): Promise<WorkMessage> {
    const names = new Set(
      work.flatMap(({ item: { acquirer, batch } }) => (batch ? [acquirer, batch.processor] : [acquirer])),
    )
    return {
      items: work.map(({ item }) => item),
      batches: await this.#batches(new Set(work.flatMap(({ batch }) => batch ?? []))),
      members: [...names].flatMap((name) => this.#directory.member(name) ?? []),
    }
  }

  /** The signed texts of batches by digest. A batch is large, so it is read once however many of its asks are given. */
  async #batches(ids: ReadonlySet<string>): Promise<Record<string, string>> {
    if (ids.size === 0) return {}
    const { rows } = await sql<{ digest: string; jws: string }>`
      select digest, jws from ask_batch where id = any(${[...ids]})`.execute(this.#db)
    return Object.fromEntries(rows.map(({ digest, jws }) => [digest, jws]))
  }
}

/**
 * Whether the record cannot hold anything new. After a long poll it is read all the same: an ask whose booking was never
 * heard of, because the connection broke just then, is found so.
 */
function isStillDrained(
  { drained }: GivenOut,
  { arrivals, now }: { arrivals: number; now: Instant },
): boolean {
  return drained?.arrivals === arrivals && now < later(drained.at, LIMITS.longPollMs)
}

function lend(given: GivenOut, { ask, sequence }: Pick<Work, 'ask' | 'sequence'>, now: Instant): void {
  given.lent.set(ask, { sequence, until: later(now, LIMITS.longPollMs) })
  if (sequence > given.after) given.after = sequence
}

function workOf(row: WorkRow): Work {
  return { ask: row.ask, sequence: row.sequence, item: itemOf(row), batch: row.batch }
}

/** The same as it would be read back. */
function freshWork({ ask: { sent, legs }, places }: BookedAsk, site: string): Work | undefined {
  const place = legs.findIndex((leg) => leg.site === site)
  const [leg, sequence] = [legs[place], places[place]]
  if (!leg || sequence === undefined || sent.jws === undefined) return undefined
  const { id, acquirer, offer, maxPrice, dryRun, expires } = sent.ask
  const item = {
    ask: id,
    acquirer,
    jws: sent.jws,
    dataSet: offer,
    priceLimit: { amount: Number(leg.limitMinor), currency: maxPrice.currency },
    dryRun,
    expires: formatInstant(expires),
  }
  return { ask: id, sequence, item, batch: null }
}

function itemOf(row: WorkRow): WorkMessage['items'][number] {
  const { ask, acquirer, data_set, limit_minor, currency, is_dry_run, expires_at } = row
  const signed =
    row.batch_digest !== null && row.batch_index !== null && row.processor !== null
      ? { batch: { digest: row.batch_digest, index: row.batch_index, processor: row.processor } }
      : { jws: row.jws ?? '' }
  return {
    ask,
    acquirer,
    ...signed,
    dataSet: data_set,
    priceLimit: { amount: Number(limit_minor), currency },
    dryRun: is_dry_run,
    expires: formatInstant(expires_at),
  }
}
