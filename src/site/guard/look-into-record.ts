import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { nameOfParts } from './partition-names.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'

/** Whose record is looked into, for which ask. */
export interface LookRequest {
  /** The acquirer, or the name of the group that it is declared to collude with. */
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  /** Digest of everything that decides about an answer but the rows and what was told before. */
  readonly question: Digest
  /** Refusals count from here on. */
  readonly since: Instant
}

/** What the record holds that an answer depends on, all as of one moment. */
export interface RecordLook {
  /** How often rows of the data sets had changed. The reservation refuses an answer when that is no longer so. */
  readonly changes: ReadonlyMap<string, number>
  /** The digests of the manifests that are in force, of data sets that are not retired. In one step with the count they change. */
  readonly terms: ReadonlyMap<string, string>
  /** The newest entry of each partition that there is, those of parts among them. */
  readonly heads: ReadonlyMap<string, { readonly head: number; readonly lastAsk: string }>
  /** Names the question and how often rows had changed: while it is the same, nothing new can be told. */
  readonly epoch: string
  /** What was held back in the window, of the data set for which it was most, and how much of that for the same before. */
  readonly refusals: { readonly spent: number; readonly noted: number }
  /** The release that an equal ask got in this epoch, sealed, and everybody behind it, packed. */
  readonly stored: { readonly sealed: string; readonly people: Uint8Array } | undefined
}

interface LookRow {
  readonly seen: readonly {
    readonly data_set: string
    readonly change_count: number
    readonly terms: string | null
    readonly head: number | null
    readonly last_ask: string | null
    readonly parts_head: number | null
    readonly parts_last_ask: string | null
  }[]
  readonly epoch: string
  readonly spent: number
  readonly noted: number
  readonly sealed: string | null
  readonly people: Uint8Array | null
}

/** Counts of changes and heads come from one statement: a head that is newer than its count would hide a change. */
export async function lookIntoRecord(
  db: Database,
  { acquirerGroup, dataSets, question, since }: LookRequest,
): Promise<RecordLook> {
  const { rows } = await sql<LookRow>`
    ${KEPT} with seen as (
      select d.place, d.data_set, coalesce(c.change_count, 0) as change_count, t.manifest_digest as terms, p.head, p.last_ask,
        a.head as parts_head, a.last_ask as parts_last_ask
      from unnest(${[...dataSets]}::text[], ${dataSets.map(nameOfParts)}::text[]) with ordinality as d(data_set, parts, place)
      left join data_set_change c on c.data_set = d.data_set
      left join data_set t on t.id = d.data_set and t.retired_ms is null
      left join partition p on p.data_set = d.data_set and p.acquirer_group = ${acquirerGroup}
      left join partition a on a.data_set = d.parts and a.acquirer_group = ${acquirerGroup}
    ), named as (
      select jsonb_agg(to_jsonb(seen) order by place) as seen, ${question} || ' ' || string_agg(change_count::text, ',' order by place) as epoch,
        string_agg((coalesce(head, 0) + coalesce(parts_head, 0))::text, ',' order by place) as heads
      from seen
    ), refused as (
      select sum(r.withheld)::integer as spent,
        coalesce(sum(r.withheld) filter (where r.state = n.epoch || ' ' || n.heads), 0)::integer as noted
      from named n, guard_refusal r
      where r.acquirer_group = ${acquirerGroup} and r.data_set = any(${[...dataSets]}::text[]) and r.time_ms > ${since}::bigint
      group by r.data_set
    )
    select n.seen, n.epoch, (select coalesce(max(spent), 0) from refused) as spent,
      (select coalesce(min(noted), 0) from refused) as noted, s.sealed, s.people
    from named n left join stored_release s on s.acquirer_group = ${acquirerGroup} and s.epoch = n.epoch`.execute(
    db,
  )
  const [row] = rows
  if (!row) throw new TypeError('A look into the record gives one row')
  const { seen, epoch, spent, noted, sealed, people } = row
  return {
    changes: new Map(seen.map((one) => [one.data_set, one.change_count])),
    terms: new Map(
      seen.flatMap(({ data_set: dataSet, terms }) => (terms === null ? [] : [[dataSet, terms]])),
    ),
    heads: new Map(
      seen.flatMap((one) => [
        ...headOf(one.data_set, one.head, one.last_ask),
        ...headOf(nameOfParts(one.data_set), one.parts_head, one.parts_last_ask),
      ]),
    ),
    epoch,
    refusals: { spent, noted },
    stored: sealed === null || people === null ? undefined : { sealed, people },
  }
}

function headOf(
  name: string,
  head: number | null,
  lastAsk: string | null,
): readonly (readonly [string, { readonly head: number; readonly lastAsk: string }])[] {
  return head === null || lastAsk === null ? [] : [[name, { head, lastAsk }]]
}

/** What a refusal follows from: the question in its epoch, and what was told before (the heads of the partitions in order). */
export function refusalStateOf(epoch: string, heads: readonly number[]): string {
  return `${epoch} ${heads.join(',')}`
}
