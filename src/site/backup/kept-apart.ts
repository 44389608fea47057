import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { z } from 'zod'
import { digestOf } from '../../kernel/digest.ts'
import { syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { RESTRICTION_REASONS } from '../../protocol/restriction.ts'
import { dataSetIdSchema, digestSchema, memberIdSchema } from '../../protocol/wire.ts'
import { parseJson, readIfThere } from './safe.ts'
import type { Safe } from './safe.ts'

/**
 * What was taken back, in the safe: grants withdrawn, objections, restrictions, bases and guardianships ended. Written before it is acknowledged, so
 * that a restore of an older backup makes all of it anew (docs/decisions/0020). People are named by the digest of their
 * wrapped key, which is random and says nothing about anybody; grants by their numbers.
 *
 * A line holds what happened since the line before. Permissive acts (a grant, the lifting of a restriction) are not in
 * it: a restore that forgets those errs on the person's side.
 */
const takenBackSchema = z.strictObject({
  /** The consent sequence that the lines have reached, and the newest restriction. */
  sequence: z.int().min(0),
  restriction: z.int().min(0),
  revoked: z.array(z.int().min(1)),
  objections: z.array(
    z.strictObject({
      key: digestSchema,
      sequence: z.int().min(1),
      dataSet: dataSetIdSchema.optional(),
      purpose: z.string(),
    }),
  ),
  /** Legal bases that ended, and people whom one covers no longer. */
  basesEnded: z.array(z.strictObject({ basis: z.string(), reason: z.string() })),
  uncovered: z.array(z.strictObject({ basis: z.string(), key: digestSchema, sequence: z.int().min(1) })),
  guardianshipsEnded: z.array(z.string()),
  restrictions: z.array(
    z.strictObject({
      key: digestSchema,
      id: z.int().min(1),
      restriction: z.string(),
      issuer: memberIdSchema,
      reason: z.enum(RESTRICTION_REASONS),
    }),
  ),
})
export type TakenBack = z.output<typeof takenBackSchema>

const FILE = 'taken-back.ndjson'
const NOTHING = { sequence: 0, restriction: 0 }

/** Brings the safe up to the record. */
export interface KeptApart {
  /** Everything that was committed before the call is in the safe, on its disk, when it resolves. */
  note(): Promise<void>
}

/** Opens the lines of a safe, and adds what a crash or another disk may have kept from it. */
export async function openKeptApart(safe: Safe, db: Database): Promise<KeptApart> {
  const turn = new Mutex()
  const lines = await readTakenBack(safe)
  let reached = lines.at(-1) ?? NOTHING
  const guardianships = new Set(lines.flatMap((line) => line.guardianshipsEnded))
  const keep = async () => {
    const next = await readSince(db, { ...reached, guardianships })
    if (next === undefined) return
    await appendLine(join(safe.directory, FILE), next)
    reached = next
    for (const guardianship of next.guardianshipsEnded) guardianships.add(guardianship)
  }
  const kept = { note: () => turn.run(keep) }
  await kept.note()
  return kept
}

/**
 * Everything that was taken back, oldest first. A line that a crash tore was never acknowledged and was written again.
 *
 * @throws Fault `fault.backup_safe` when a line in the middle is none
 */
export async function readTakenBack(safe: Safe): Promise<readonly TakenBack[]> {
  const path = join(safe.directory, FILE)
  const text = (await readIfThere(path)) ?? ''
  return text.split('\n').flatMap((line, index) => {
    const parsed = takenBackSchema.safeParse(parseJson(line))
    if (parsed.success) return [parsed.data]
    if (!line.endsWith(']}') && '{"sequence":'.startsWith(line.slice(0, 12))) return []
    throw new Fault('fault.backup_safe', {
      what: `Cannot read "${path}": line ${index + 1} is not one of its lines`,
    })
  })
}

interface Reached {
  readonly sequence: number
  readonly restriction: number
  /** Ends of guardianships that are noted; they have no numbers. */
  readonly guardianships: ReadonlySet<string>
}

async function readSince(db: Database, reached: Reached): Promise<TakenBack | undefined> {
  const { sequence, restriction, guardianships } = reached
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const { rows: revoked } = await sql<{ sequence: bigint; grant_sequence: bigint }>`
        select sequence, grant_sequence from consent_revocation where sequence > ${sequence} order by 1`.execute(
        tx,
      )
      const { rows: objections } = await sql<ObjectionRow>`
        select o.sequence, o.data_set, o.purpose, k.wrapped from objection o join person_key k on k.person = o.person
        where o.sequence > ${sequence} order by 1`.execute(tx)
      const { rows: restrictions } = await sql<RestrictionRow>`
        select r.id, r.restriction, r.issuer, r.reason, k.wrapped from restriction r
        join person_key k on k.person = r.person where r.id > ${restriction} order by 1`.execute(tx)
      const { rows: bases } = await sql<{ sequence: bigint; basis: string; reason: string }>`
        select sequence, basis, reason from legal_basis_end where sequence > ${sequence} order by 1`.execute(
        tx,
      )
      const { rows: uncovered } = await sql<UncoveredRow>`
        select p.sequence, p.basis, k.wrapped from legal_basis_person p join person_key k on k.person = p.person
        where p.sequence > ${sequence} and not p.is_covered order by 1`.execute(tx)
      const { rows: ended } = await sql<{ guardianship: string }>`
        select guardianship from guardianship where ended_ms is not null order by id`.execute(tx)
      const newlyEnded = ended.filter((row) => !guardianships.has(row.guardianship))
      const numbered = [revoked, objections, bases, uncovered]
      if ([...numbered, restrictions, newlyEnded].every(({ length }) => length === 0)) return undefined
      return takenBackSchema.parse({
        sequence: Math.max(sequence, ...numbered.map((rows) => Number(rows.at(-1)?.sequence ?? 0))),
        restriction: Math.max(restriction, Number(restrictions.at(-1)?.id ?? 0)),
        revoked: revoked.map(({ grant_sequence: grant }) => Number(grant)),
        objections: objections.map(objectionOf),
        basesEnded: bases.map(({ basis, reason }) => ({ basis, reason })),
        uncovered: uncovered.map(({ sequence: number, basis, wrapped }) => ({
          basis,
          key: digestOf(wrapped),
          sequence: Number(number),
        })),
        guardianshipsEnded: newlyEnded.map(({ guardianship }) => guardianship),
        restrictions: restrictions.map(restrictionOf),
      })
    })
}

function objectionOf({ sequence, data_set: dataSet, purpose, wrapped }: ObjectionRow) {
  return {
    key: digestOf(wrapped),
    sequence: Number(sequence),
    ...(dataSet === null ? {} : { dataSet }),
    purpose,
  }
}

function restrictionOf({ id, restriction, issuer, reason, wrapped }: RestrictionRow) {
  return { key: digestOf(wrapped), id: Number(id), restriction, issuer, reason }
}

interface UncoveredRow {
  readonly sequence: bigint
  readonly basis: string
  readonly wrapped: Uint8Array
}

interface ObjectionRow {
  readonly sequence: bigint
  readonly data_set: string | null
  readonly purpose: string
  readonly wrapped: Uint8Array
}

interface RestrictionRow {
  readonly id: bigint
  readonly restriction: string
  readonly issuer: string
  readonly reason: string
  readonly wrapped: Uint8Array
}

/** Adds a line that is on the disk when this resolves, on a line of its own whatever a crash left before it. */
export async function appendLine(path: string, value: unknown): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.writeFile(`\n${JSON.stringify(value)}`)
    await file.sync()
  } finally {
    await file.close()
  }
  await syncDirectory(dirname(path))
}
