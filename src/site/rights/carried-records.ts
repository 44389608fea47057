import { sql } from 'kysely'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { Fault } from '../../kernel/faults.ts'
import { carriedRecordSchema } from '../../protocol/rights/person-export.ts'
import type { CarriedRecord } from '../../protocol/rights/person-export.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText, sealPersonText } from '../vault/keys/person-text.ts'
import type { KnownPerson } from './person-reading.ts'

const CARRIED = 'carried-record'

/**
 * Takes over records of a person's life at other sites (GDPR Art. 20), sealed under the person's key. They stand in
 * later exports as they were, and authorise nothing. Records of this very site are refused: it has its own.
 */
export async function carryRecords(
  { db, personKeys, random, clock, site }: SiteContext,
  { person, records }: { person: KnownPerson; records: readonly CarriedRecord[] },
): Promise<{ readonly carried: number; readonly known: number }> {
  if (records.some((record) => record.site === site)) {
    throw new Fault('fault.request_malformed', {
      what: 'Cannot carry the history: some records are of this site, which has its own',
      errors: [{ field: 'records', expected: 'expected records of other sites' }],
    })
  }
  const key = (await personKeys.keyOf(db, person.number))?.reveal()
  if (!key) throw new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
  const texts = records.map((record) => canonicalJson(record))
  const marks = await personKeys.subjectsOf(
    db,
    texts.map((text) => ({ person: person.number, text: `carried ${text}` })),
  )
  const sealed = texts.map((text) => Buffer.from(sealPersonText(text, { key, use: CARRIED, random })))
  const { rows } = await sql`
    insert into carried_record (person, mark, sealed, carried_ms)
    select ${person.number}, mark, sealed, ${clock.now()} from unnest(${marks}::text[], ${sealed}::bytea[]) as given (mark, sealed)
    on conflict (person, mark) do nothing returning id`.execute(db)
  return { carried: rows.length, known: records.length - rows.length }
}

/** The records that were carried here, in the order in which they came. */
export async function carriedRecords(
  { db, personKeys }: Pick<SiteContext, 'db' | 'personKeys'>,
  person: number,
): Promise<readonly CarriedRecord[]> {
  const { rows } = await sql<{ sealed: Uint8Array }>`
    select sealed from carried_record where person = ${person} order by id`.execute(db)
  const key = rows.length === 0 ? undefined : (await personKeys.keyOf(db, person))?.reveal()
  if (!key) return []
  return rows.flatMap(({ sealed }) => {
    const text = openPersonText(sealed, { key, use: CARRIED })
    if (text === undefined) return []
    const record: unknown = JSON.parse(text)
    // It was held against the schema when it came; what is given out is the record as it came.
    return carriedRecordSchema.safeParse(record).success ? [record as CarriedRecord] : []
  })
}
