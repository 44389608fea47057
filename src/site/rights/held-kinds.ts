import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ExportKind } from '../../protocol/rights/person-export.ts'

/** What of the record a person may have nothing of, as most people of most of it. */
const LOOKED_FOR = [
  'guardianship',
  'ageEvidence',
  'move',
  'grant',
  'refusal',
  'objection',
  'request',
  'carried',
] as const
export type HeldKind = (typeof LOOKED_FOR)[number]

/** Of which kinds the record has anything about people: one question in place of one for each kind. */
export async function heldKinds(db: Database, people: readonly number[]): Promise<ReadonlySet<HeldKind>> {
  const { rows } = await sql<Record<HeldKind, boolean>>`
    ${KEPT} select
      exists (select from guardianship where person = any(given.people)) as guardianship,
      exists (select from age_evidence where person = any(given.people)) as "ageEvidence",
      exists (select from residence_move where person = any(given.people)) as move,
      exists (select from consent_grant where person = any(given.people)) as "grant",
      exists (select from consent_refusal where person = any(given.people)) as refusal,
      exists (select from objection where person = any(given.people)) as objection,
      exists (select from person_request where person = any(given.people)) as request,
      exists (select from carried_record where person = any(given.people)) as carried
    from (select ${people}::integer[] as people) as given`.execute(db)
  const [row] = rows
  return new Set(LOOKED_FOR.filter((kind) => row?.[kind] === true))
}

/** Whether an export of some kinds needs that question. */
export function isLookedFor(kind: ExportKind): boolean {
  return kind === 'use' || kind === 'access' || kind === 'basis' || LOOKED_FOR.some((one) => one === kind)
}
