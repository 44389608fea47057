import { sql } from 'kysely'
import { formatInstant, instant, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { readAcceptance } from '../../protocol/terms-of-use.ts'
import type { AcceptanceMessage, TermsVersionMessage } from '../../protocol/terms-of-use.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'

/** When a version was published, and when it begins to count. */
interface TermsMoments {
  readonly version: number
  readonly from: Instant
  readonly publishedAt: Instant
}

/** A version as the record has it. */
interface StoredTerms extends TermsMoments {
  readonly digest: Digest
  readonly text: string
}

/**
 * The terms of use and who accepted them, in memory: every ask looks. A version counts from its moment on; who accepted a
 * newer one ahead of its time has accepted it for good. A version that comes gives way to any that is published before its moment,
 * so that it can be put forward, put off and changed. One process serves a network, so it is the only writer.
 */
export class TermsOfUse {
  readonly #db: Database
  readonly #turn = new Mutex()
  /** Oldest first. */
  #versions: readonly StoredTerms[] = []
  readonly #accepted = new Map<string, number>()

  private constructor(db: Database) {
    this.#db = db
  }

  static async open(db: Database): Promise<TermsOfUse> {
    const terms = new TermsOfUse(db)
    await terms.#readVersions()
    const { rows } = await sql<{ member: string; version: number }>`
      select member, max(version) as version from terms_acceptance group by member`.execute(db)
    for (const { member, version } of rows) terms.#accepted.set(member, version)
    return terms
  }

  /** What a member has yet to accept before it may ask: the version in force. Nothing where it has, or where there are no terms. */
  lacking(member: string, now: Instant): { readonly version: number; readonly from: Instant } | undefined {
    return TermsOfUse.lackingOf(this.#versions, { accepted: this.#accepted.get(member) ?? 0, now })
  }

  /** The rule of it, over versions from the oldest on; `accepted`: the newest that was, 0 for none. */
  static lackingOf(
    versions: readonly TermsMoments[],
    { accepted, now }: { accepted: number; now: Instant },
  ): { readonly version: number; readonly from: Instant } | undefined {
    const inForce = inForceOf(versions, now)
    if (!inForce || accepted >= inForce.version) return undefined
    return { version: inForce.version, from: inForce.from }
  }

  /** All versions, newest first. */
  list(now: Instant): readonly TermsVersionMessage[] {
    return this.#versions.toReversed().map((one) => ({
      version: one.version,
      digest: one.digest,
      text: one.text,
      from: formatInstant(one.from),
      publishedAt: formatInstant(one.publishedAt),
      state: TermsOfUse.stateOf(one, this.#versions, now),
    }))
  }

  /** Where one of all versions stands, which are given from the oldest on: the newest whose moment has come is in force. */
  static stateOf(
    one: TermsMoments,
    versions: readonly TermsMoments[],
    now: Instant,
  ): TermsVersionMessage['state'] {
    if (isOvertaken(one, versions)) return 'overtaken'
    if (one.from > now) return 'coming'
    return inForceOf(versions, now)?.version === one.version ? 'in_force' : 'replaced'
  }

  /**
   * Publishes a text, to count at once unless it is told from when on, instead of what has not begun to count. That of the
   * newest version again changes nothing, but its moment while it has not come. Gives its version.
   *
   * @throws Fault `fault.request_malformed` when it would count before it is known, or its text counts already
   */
  async publish({
    text,
    from,
    now: asked,
  }: {
    text: string
    from: Instant | undefined
    now: Instant
  }): Promise<number> {
    return this.#turn.run(async () => {
      // What an answer that was lost told of may be there.
      await this.#readVersions()
      const newest = this.#versions.at(-1)
      // A clock that was put back does not make a text known before the one that it replaces.
      const now = newest === undefined || asked > newest.publishedAt ? asked : newest.publishedAt
      const digest = digestOf(text)
      if (newest?.digest === digest) {
        if (from === undefined ? newest.from <= now : from === newest.from) return newest.version
        if (newest.from <= now) throw countsAlready(newest)
      }
      const counting = from ?? now
      if (counting < now) throw tooEarly(now)
      const version = (newest?.version ?? 0) + 1
      try {
        await sql`
          insert into terms_of_use (version, digest, body, from_ms, published_ms)
          values (${version}, ${digest}, ${text}, ${counting}, ${now})`.execute(this.#db)
      } finally {
        await this.#readVersions()
      }
      return version
    })
  }

  /**
   * Notes that a member accepted a version, by the statement that it signed with its present key.
   *
   * @throws Fault `fault.request_malformed` when the statement is not signed so, or of terms that there are not
   */
  async accept(
    { member, statement }: { member: MemberRecord; statement: string },
    { network, now }: { network: string; now: Instant },
  ): Promise<AcceptanceMessage> {
    const said = readAcceptance(statement, { member: member.id, network, key: member.keys.signing })
    const known = said && this.#spokenOf(said, now)
    if (!known) {
      throw new Fault('fault.request_malformed', {
        what: 'Cannot note that terms are accepted: the statement is not signed with the present key, or not of terms of this network',
        errors: [
          {
            field: 'statement',
            expected:
              'expected a statement over terms of this network, signed by the member once they were known and not ahead of time',
          },
        ],
      })
    }
    return this.#turn.run(async () => {
      await sql`
        insert into terms_acceptance (member, version, statement, accepted_ms)
        values (${member.id}, ${known.version}, ${statement}, ${now}) on conflict do nothing`.execute(
        this.#db,
      )
      const accepted = Math.max(known.version, this.#accepted.get(member.id) ?? 0)
      this.#accepted.set(member.id, accepted)
      const all = await this.acceptances(member.id)
      const noted = all.find(({ version }) => version === known.version)
      if (!noted)
        throw new Fault('fault.internal', { what: 'An acceptance that was just noted is not there' })
      return noted
    })
  }

  /**
   * The version that a statement is of: the newest with its text that was known when it was signed. Of a text that came back
   * later it says nothing, and ahead of its time it says nothing at all.
   */
  #spokenOf(
    { terms, time }: { readonly terms: Digest; readonly time: Instant },
    now: Instant,
  ): StoredTerms | undefined {
    if (time > later(now, LIMITS.clockSkewMsMax)) return undefined
    const heard = later(time, LIMITS.clockSkewMsMax)
    return this.#versions.findLast(({ digest, publishedAt }) => digest === terms && publishedAt <= heard)
  }

  /** Who accepted what, newest first; of all members, or of one. */
  async acceptances(member: MemberId | undefined): Promise<readonly AcceptanceMessage[]> {
    const { rows } = await sql<AcceptanceRow>`
      select a.member, a.version, a.statement, a.accepted_ms, t.digest
      from terms_acceptance a join terms_of_use t on t.version = a.version
      where a.member = coalesce(${member ?? null}::text, a.member) order by a.id desc limit ${SHOWN}`.execute(
      this.#db,
    )
    return rows.map((row) => ({
      member: row.member,
      version: row.version,
      terms: row.digest,
      acceptedAt: formatInstant(instant(Number(row.accepted_ms))),
      statement: row.statement,
    }))
  }

  async #readVersions(): Promise<void> {
    const { rows } = await sql<TermsRow>`select * from terms_of_use order by version`.execute(this.#db)
    this.#versions = rows.map((row) => ({
      version: row.version,
      digest: row.digest,
      text: row.body,
      from: instant(Number(row.from_ms)),
      publishedAt: instant(Number(row.published_ms)),
    }))
  }
}

/** The newest version whose moment has come, of those that were not taken back before it. */
function inForceOf(versions: readonly TermsMoments[], now: Instant): TermsMoments | undefined {
  return versions.findLast((one) => one.from <= now && !isOvertaken(one, versions))
}

/** Whether a newer one was published before it began to count, or counts from the same moment: then it never does. */
function isOvertaken({ version, from }: TermsMoments, versions: readonly TermsMoments[]): boolean {
  return versions.some((other) => other.version > version && (other.publishedAt < from || other.from <= from))
}

/** Acceptances that are shown: of a thousand acquirers and ten versions. */
const SHOWN = 10_000

interface TermsRow {
  readonly version: number
  readonly digest: Digest
  readonly body: string
  readonly from_ms: bigint
  readonly published_ms: bigint
}

interface AcceptanceRow {
  readonly member: MemberId
  readonly version: number
  readonly statement: string
  readonly accepted_ms: bigint
  readonly digest: Digest
}

function tooEarly(earliest: Instant): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot publish the terms: they would count before they are known',
    errors: [{ field: 'from', expected: `expected ${formatInstant(earliest)} or later` }],
  })
}

function countsAlready({ version, from }: StoredTerms): Fault {
  return new Fault('fault.request_malformed', {
    what: `Cannot publish the terms: their text is that of version ${version}, which counts already`,
    errors: [{ field: 'from', expected: `expected none, ${formatInstant(from)}, or another text` }],
  })
}
