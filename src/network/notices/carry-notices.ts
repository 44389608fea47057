import { sql } from 'kysely'
import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { carriedNoticeSchema, noticeNewsSchema } from '../../protocol/http/notice-api.ts'
import { acknowledgementSchema, readAcknowledgement } from '../../protocol/rights/recipient-notice.ts'
import type { Acknowledgement } from '../../protocol/rights/recipient-notice.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'
import { requireMember } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'

/** What carrying notices works with. */
export interface NoticeParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  /** Called once something that a site waits for is durable. */
  told(site: string): void
}

type CarriedNotice = z.input<typeof carriedNoticeSchema>

interface NoticeRow {
  readonly sequence: bigint
  readonly notice: string
  readonly site: string
  readonly acquirer: string
  readonly sealed: string | null
  readonly sent_at: Instant
  readonly delivered_at: Instant | null
  readonly acknowledgement: string | null
  readonly acknowledged_at: Instant | null
}

/**
 * Keeps a notice for its recipient. Sent again it is kept once; sealed anew (the recipient changed its key, or may be
 * told less) it takes the place of the one before. One that is acknowledged stays as it is.
 *
 * @throws Fault `fault.not_found` for a recipient that is no member, `fault.conflict` for an id that another site or
 * notice has
 */
export async function keepNotice(
  { db, clock, directory }: NoticeParts,
  sent: { notice: string; site: SiteId; acquirer: MemberId; sealed: string },
): Promise<CarriedNotice> {
  requireMember(directory, sent.acquirer)
  const now = formatInstant(clock.now())
  const { rows } = await sql<NoticeRow>`
    insert into notice as n (notice, site, acquirer, sealed, sent_at)
    values (${sent.notice}, ${sent.site}, ${sent.acquirer}, ${sent.sealed}, ${now}::timestamptz)
    on conflict (notice) do update set sealed = case when n.acknowledged_at is null then excluded.sealed end
    where n.site = excluded.site and n.acquirer = excluded.acquirer
    returning *`.execute(db)
  const [row] = rows
  if (row) return viewOf(row)
  throw new Fault('fault.conflict', { what: 'Cannot take the notice: another one has this id' })
}

/** A page of a member's notices, oldest first; those that are not acknowledged count as delivered from now on. */
export async function noticesFor(
  parts: NoticeParts,
  {
    acquirer,
    after,
    limit,
    isOpenOnly,
  }: { acquirer: string; after: bigint; limit: number; isOpenOnly: boolean },
): Promise<readonly { readonly sequence: bigint; readonly view: CarriedNotice }[]> {
  const { db, clock } = parts
  const now = formatInstant(clock.now())
  const isWanted = isOpenOnly ? sql`acknowledged_at is null` : sql`true`
  const { rows } = await sql<NoticeRow>`
    select * from notice where acquirer = ${acquirer} and sequence > ${after} and ${isWanted} order by sequence limit ${limit}`.execute(
    db,
  )
  const { rows: delivered } = await sql<NoticeRow>`
    update notice set delivered_at = ${now}::timestamptz
    where delivered_at is null and notice = any(${rows.map(({ notice }) => notice)}::text[]) returning *`.execute(
    db,
  )
  for (const site of new Set(delivered.map((row) => row.site))) parts.told(site)
  const newly = new Map(delivered.map((row) => [row.notice, row]))
  return rows.map((row) => ({ sequence: row.sequence, view: viewOf(newly.get(row.notice) ?? row) }))
}

/**
 * Takes a recipient's signed answer to a notice, for the site to verify again. What was sealed is deleted.
 *
 * @throws Fault `fault.not_found` for a notice that is not the caller's, `fault.conflict` for an answer that is not
 * signed with its present key, is about something else, or is not the first
 */
export async function acknowledgeNotice(
  parts: NoticeParts,
  { notice, acquirer, jws }: { notice: string; acquirer: MemberId; jws: string },
): Promise<CarriedNotice> {
  const { db, clock, directory } = parts
  const { rows } = await sql<NoticeRow>`
    select * from notice where notice = ${notice} and acquirer = ${acquirer}`.execute(db)
  const known = rows[0]
  if (!known) throw new Fault('fault.not_found', { what: 'There is no such notice for this member' })
  const said = readAcknowledgement(jws, [requireMember(directory, acquirer).keys.signing])
  if (said?.notice !== notice || said.acquirer !== acquirer || said.site !== known.site)
    throw refused('it is not signed by this member for this notice')
  const { rows: taken } = await sql<NoticeRow>`
    update notice set acknowledgement = ${jws}, acknowledged_at = ${formatInstant(clock.now())}::timestamptz, sealed = null,
      delivered_at = coalesce(delivered_at, ${formatInstant(clock.now())}::timestamptz)
    where notice = ${notice} and acknowledged_at is null returning *`.execute(db)
  const [first] = taken
  if (first) {
    parts.told(first.site)
    return viewOf(first)
  }
  const { rows: again } = await sql<NoticeRow>`select * from notice where notice = ${notice}`.execute(db)
  const before = again[0]?.acknowledgement
  if (!again[0] || !isSameAnswer(said, before)) throw refused('the notice was acknowledged otherwise before')
  return viewOf(again[0])
}

/** Whether a statement says what the one that was taken says, whenever it was signed; the first one stays. */
function isSameAnswer(said: Acknowledgement, taken: string | null | undefined): boolean {
  const before: unknown = JSON.parse(peekJws(taken ?? '')?.payload ?? 'null')
  const parsed = acknowledgementSchema.safeParse(before)
  if (!parsed.success) return false
  const { digest, outcome, ground } = parsed.data
  return digest === said.digest && outcome === said.outcome && ground === said.ground
}

/** News of one request. */
const NEWS_MAX = 500

/** What a site has not confirmed to know of its notices. */
export async function newsFor(
  { db }: NoticeParts,
  site: string,
): Promise<z.input<typeof noticeNewsSchema>[]> {
  const { rows } = await sql<NoticeRow>`
    select * from notice where site = ${site}
      and ((delivered_at is not null and not is_delivery_told) or (acknowledged_at is not null and not is_acknowledgement_told))
    order by sequence limit ${NEWS_MAX}`.execute(db)
  return rows.map(({ notice, delivered_at: delivered, acknowledgement }) => ({
    notice,
    ...(delivered === null ? {} : { deliveredAt: formatInstant(delivered) }),
    ...(acknowledgement === null ? {} : { acknowledgement }),
  }))
}

/** Notes what a site has durably heard. */
export async function confirmNews(
  { db }: NoticeParts,
  { site, items }: { site: string; items: readonly { notice: string; isFinal: boolean }[] },
): Promise<number> {
  const final = items.filter(({ isFinal }) => isFinal).map(({ notice }) => notice)
  const { rows } = await sql`
    update notice set is_delivery_told = true, is_acknowledgement_told = is_acknowledgement_told or notice = any(${final}::text[])
    where site = ${site} and notice = any(${items.map(({ notice }) => notice)}::text[]) returning notice`.execute(
    db,
  )
  return rows.length
}

function viewOf(row: NoticeRow): CarriedNotice {
  const { notice, site, acquirer, sealed } = row
  return {
    notice,
    site,
    acquirer,
    ...(sealed === null ? {} : { sealed }),
    sentAt: formatInstant(row.sent_at),
    ...(row.delivered_at === null ? {} : { deliveredAt: formatInstant(row.delivered_at) }),
    ...(row.acknowledged_at === null ? {} : { acknowledgedAt: formatInstant(row.acknowledged_at) }),
  }
}

function refused(why: string): Fault {
  return new Fault('fault.conflict', { what: `Cannot take the acknowledgement: ${why}` })
}
