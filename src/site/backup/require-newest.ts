import { sql } from 'kysely'
import { counted } from '../../kernel/counted.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Receipt } from '../../protocol/proof/receipt.ts'
import { erasureIdSchema, erasureInReceipts } from '../../protocol/rights/erasure.ts'
import type { Forgotten } from '../rights/forgotten-list.ts'
import type { Done } from './done-since.ts'
import type { TakenBack } from './kept-apart.ts'
import type { BackupMarks } from './take-back-again.ts'

/** What a safe holds of the time after a backup, and the receipts that the site gave in that time. */
export interface KeptSince {
  readonly list: readonly Forgotten[]
  readonly takenBack: readonly TakenBack[]
  readonly done: readonly Done[]
  readonly marks: BackupMarks
  readonly receiptsAfter: readonly Receipt[]
}

/**
 * Holds the lists of a safe against the receipts after the backup. Each act is in its list before it is acknowledged, so that a receipt
 * without it tells of a list that was cut, or of another day: somebody would be back who was erased, a grant that was withdrawn, rows as
 * they were before they were put right. Of erasures none may be missing; of the rest some may, where that is said (`mayMiss`): what was not
 * acknowledged when the site was lost can have its receipt and not its line.
 *
 * @throws Fault `fault.backup_safe`
 */
export async function requireNewest(
  db: Database,
  kept: KeptSince,
  { mayMiss }: { mayMiss: boolean },
): Promise<void> {
  const lacking = await lackingErasure(db, kept)
  if (lacking !== undefined)
    throw new Fault('fault.backup_safe', {
      what: `Cannot restore: the list of erased people is not the newest; it lacks the erasure "${lacking}", of which there is a receipt`,
    })
  const lacks = mayMiss ? [] : [...lackingTakenBack(kept), ...(await lackingDone(db, kept))]
  if (lacks.length === 0) return
  throw new Fault('fault.backup_safe', {
    what: `Cannot restore: the safe is not the newest; of the time after the backup it lacks ${lacks.join(', ')}, of which there are receipts. To go on without them, add --accept-gap`,
  })
}

/** An erasure of which there is a receipt, and which is neither in the list nor in the backup. */
async function lackingErasure(db: Database, { list, receiptsAfter }: KeptSince): Promise<string | undefined> {
  const named = ofKind(receiptsAfter, 'erasure').flatMap(({ erasure }) => erasure ?? [])
  // Receipts of before have the id itself.
  const missing = new Set<string>(
    named.map((name) => (erasureIdSchema.safeParse(name).success ? erasureInReceipts(name) : name)),
  )
  for (const { erasure } of list) missing.delete(erasureInReceipts(erasure))
  if (missing.size === 0) return undefined
  const { rows } = await sql<{ erasure: string }>`select erasure from erasure`.execute(db)
  for (const { erasure } of rows) missing.delete(erasureInReceipts(erasure))
  return missing.values().next().value
}

/** How many withdrawals, objections and restrictions have receipts and are in no line; permissive acts are in none. */
function lackingTakenBack({ takenBack, marks, receiptsAfter }: KeptSince): readonly string[] {
  const later = takenBack.filter(({ sequence }) => sequence > marks.sequence)
  const revoked = later.reduce((sum, line) => sum + line.revoked.length, 0)
  const restricted = new Set(
    takenBack.flatMap((line) => line.restrictions.map(({ restriction }) => restriction)),
  )
  const begun = receiptsAfter.filter(({ kind, lifts }) => kind === 'restriction' && lifts === undefined)
  return [
    ...lacking(ofKind(receiptsAfter, 'revocation').length - revoked, 'withdrawal'),
    ...lacking(lackingObjections(later, receiptsAfter), 'objection'),
    ...lacking(begun.filter(({ restriction = '' }) => !restricted.has(restriction)).length, 'restriction'),
  ]
}

/** Receipts of objections and of their withdrawals that no line names; of lines from before they did nothing can be said. */
function lackingObjections(later: readonly TakenBack[], receiptsAfter: readonly Receipt[]): number {
  if (later.some(({ objectionReceipts }) => objectionReceipts === undefined)) return 0
  const named = new Set(later.flatMap(({ objectionReceipts = [] }) => objectionReceipts))
  return ofKind(receiptsAfter, 'objection').filter(({ sequence }) => !named.has(sequence)).length
}

/** The same of imports and corrections. One that was under way when the backup was taken is in its record, and may have had its line before. */
async function lackingDone(db: Database, { done, receiptsAfter }: KeptSince): Promise<readonly string[]> {
  const names = new Set(done.map((one) => ('batch' in one ? `${one.dataSet} ${one.batch}` : one.correction)))
  const { rows } = await sql<{
    data_set: string
    batch: string
  }>`select data_set, batch from import_batch`.execute(db)
  for (const { data_set: dataSet, batch } of rows) names.add(`${dataSet} ${batch}`)
  const known = await sql<{ correction: string }>`select correction from correction`.execute(db)
  for (const { correction } of known.rows) names.add(correction)
  const imports = ofKind(receiptsAfter, 'ingest').filter(
    ({ dataSet = '', batch = '' }) => !names.has(`${dataSet} ${batch}`),
  )
  const corrections = ofKind(receiptsAfter, 'correction').filter(
    ({ correction = '' }) => !names.has(correction),
  )
  return [...lacking(imports.length, 'import'), ...lacking(corrections.length, 'correction')]
}

function ofKind(receipts: readonly Receipt[], kind: Receipt['kind']): readonly Receipt[] {
  return receipts.filter((receipt) => receipt.kind === kind)
}

function lacking(count: number, what: string): readonly string[] {
  return count > 0 ? [counted(count, what)] : []
}
