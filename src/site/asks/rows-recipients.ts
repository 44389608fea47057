import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** Acquirers that were given rows of a data set with a person in them: who has to be told of a correction (GDPR Art. 19). */
export async function rowsRecipients(
  db: Database,
  { person, dataSet }: { person: number; dataSet: string },
): Promise<readonly MemberId[]> {
  const { rows } = await sql<{ acquirer: MemberId; people: Uint8Array }>`
    select u.acquirer, u.people from use_record u join answer a on a.ask_id = u.ask_id
    where u.mode = 'rows' and u.data_set = ${dataSet} and a.pushed_ms is not null`.execute(db)
  const found = rows.filter(({ people }) => Bitset.fromBytes(inflateSync(people)).has(person))
  return [...new Set(found.map(({ acquirer }) => acquirer))].toSorted()
}
