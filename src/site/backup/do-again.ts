import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { correctAgain } from '../rights/correct-person.ts'
import type { SiteContext } from '../site-context.ts'
import type { Done, DoneCorrection, DoneImport } from './done-since.ts'

/** What was done after the backup and had to be done again. */
export interface DoneAgain {
  /** Corrections that were made again. */
  readonly corrections: number
  /** Those that could not be, because the rows, or the person, came after the backup: to be asked for once they are imported. */
  readonly toCorrect: readonly { readonly correction: string; readonly dataSet: DataSetId }[]
  /** Files to import again, by data set, batch and the digest of the file. */
  readonly toImport: readonly Pick<DoneImport, 'dataSet' | 'batch' | 'file' | 'rows'>[]
}

/** Makes corrections again that the backup does not have, in the order in which they were made, and says what is to be imported. */
export async function doAgain(
  site: SiteContext,
  { done, erased }: { done: readonly Done[]; erased: ReadonlySet<Digest> },
): Promise<DoneAgain> {
  const { rows: batches } = await sql<{ data_set: string; batch: string }>`
    select data_set, batch from import_batch where state = 'done'`.execute(site.db)
  const have = new Set(batches.map(({ data_set: dataSet, batch }) => `${dataSet} ${batch}`))
  const toImport = done.flatMap((one) =>
    'batch' in one && !have.has(`${one.dataSet} ${one.batch}`)
      ? [{ dataSet: one.dataSet, batch: one.batch, file: one.file, rows: one.rows }]
      : [],
  )
  const { rows: made } = await sql<{ correction: string }>`select correction from correction`.execute(site.db)
  const known = new Set(made.map(({ correction }) => correction))
  const missing = done.filter((one) => 'correction' in one).filter(({ correction }) => !known.has(correction))
  const people = await site.personKeys.findByMarks(site.db, new Set(missing.map(({ key }) => key)))
  let corrections = 0
  const toCorrect: DoneAgain['toCorrect'][number][] = []
  for (const one of missing) {
    const person = people.get(one.key)
    // Whoever was erased since has nothing to correct.
    if (erased.has(one.key)) continue
    if (person !== undefined && (await correct(site, one, person))) corrections += 1
    else toCorrect.push({ correction: one.correction, dataSet: one.dataSet })
  }
  return { corrections, toCorrect, toImport }
}

async function correct(
  site: SiteContext,
  { correction, issuer, dataSet, by, body }: DoneCorrection,
  person: number,
): Promise<boolean> {
  try {
    const sealed = Buffer.from(body, 'base64url')
    await correctAgain(site, { correction, person, issuer, dataSet, requestedBy: by, sealed })
    return true
  } catch (error) {
    if (
      error instanceof Fault &&
      (error.code === 'fault.not_found' || error.code === 'fault.request_malformed')
    )
      return false
    throw error
  }
}
