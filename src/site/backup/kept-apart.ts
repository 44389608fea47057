import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Digest } from '../../kernel/digest.ts'
import { force, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { RESTRICTION_REASONS } from '../../protocol/rights/restriction.ts'
import { dataSetIdSchema, digestSchema, memberIdSchema } from '../../protocol/wire.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import { readIfThere } from './safe.ts'
import type { Safe } from './safe.ts'

/**
 * What was taken back, in the safe: grants withdrawn, objections, restrictions, bases, guardianships and contracts ended. Written before it is acknowledged, so
 * that a restore of an older backup makes all of it anew (docs/decisions/0020). People are named by the marks of their
 * keys, which say nothing to anybody who has not got the key; grants by their numbers.
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
  /**
   * Receipts of objections and of their withdrawals: each has one of the same kind, and a restore has to tell that it knows of all. Lines
   * from before they were noted have none.
   */
  objectionReceipts: z.array(z.int().min(0)).optional(),
  /** Legal bases that ended, and people whom one covers no longer. */
  basesEnded: z.array(z.strictObject({ basis: z.string(), reason: z.string() })),
  uncovered: z.array(z.strictObject({ basis: z.string(), key: digestSchema, sequence: z.int().min(1) })),
  guardianshipsEnded: z.array(z.string()),
  /** Contracts under which data was processed; lines from before there were any name none. */
  contractsEnded: z.array(z.strictObject({ contract: z.string(), reason: z.string() })).default([]),
  /** Sub-processors that met an objection, or were withdrawn. */
  subProcessorsRefused: z.array(z.strictObject({ change: z.string(), reason: z.string() })).default([]),
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

/** Callers for whom the safe is brought up to the record once: all that each has committed is there before it begins. */
const CALLERS_AT_ONCE = 1_000

/** Opens the lines of a safe, and adds what a crash or another disk may have kept from it. */
export async function openKeptApart(
  safe: Safe,
  { db, personKeys }: { db: Database; personKeys: PersonKeys },
): Promise<KeptApart> {
  const lines = await readTakenBack(safe)
  let reached = lines.at(-1) ?? NOTHING
  const guardianships = new Set(lines.flatMap((line) => line.guardianshipsEnded))
  const refused = new Set(lines.flatMap((line) => line.subProcessorsRefused.map(({ change }) => change)))
  const keep = async () => {
    const next = await readSince(db, { reached: { ...reached, guardianships, refused }, personKeys })
    if (next === undefined) return
    await appendLine(join(safe.directory, FILE), next)
    reached = next
    for (const guardianship of next.guardianshipsEnded) guardianships.add(guardianship)
    for (const { change } of next.subProcessorsRefused) refused.add(change)
  }
  const noting = new GroupCommit(async (callers: readonly true[]) => {
    await keep()
    return callers
  }, CALLERS_AT_ONCE)
  const note = async () => {
    await noting.add(true)
  }
  await note()
  return { note }
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
  /** Refused sub-processors that are noted; they have none either. */
  readonly refused: ReadonlySet<string>
}

async function readSince(
  db: Database,
  { reached, personKeys }: { reached: Reached; personKeys: PersonKeys },
): Promise<TakenBack | undefined> {
  const { sequence, restriction, guardianships, refused } = reached
  const since = await rowsSince(db, reached)
  const { revoked, objections, restrictions, bases, uncovered, contracts } = since
  const newlyEnded = since.ended.filter((guardianship) => !guardianships.has(guardianship))
  const newlyRefused = since.refused.filter(({ change }) => !refused.has(change))
  const { objection_receipts: objectionReceipts } = since
  const numbered = [revoked, objections, objectionReceipts, bases, uncovered, contracts]
  if ([...numbered, restrictions, newlyEnded, newlyRefused].every(({ length }) => length === 0))
    return undefined
  // Whoever was erased has no key and no mark: nothing of theirs is to be taken back.
  const named = new Set([...objections, ...restrictions, ...uncovered].map(({ person }) => person))
  const marks = named.size === 0 ? new Map<number, Digest>() : await personKeys.marksOf(db, [...named])
  return takenBackSchema.parse({
    sequence: Math.max(sequence, ...numbered.map((rows) => rows.at(-1)?.sequence ?? 0)),
    restriction: Math.max(restriction, restrictions.at(-1)?.id ?? 0),
    revoked: revoked.map(({ grant_sequence: grant }) => grant),
    objections: withMarks(objections, marks).map(objectionOf),
    objectionReceipts: objectionReceipts.map(({ receipt }) => receipt),
    basesEnded: bases.map(({ basis, reason }) => ({ basis, reason })),
    uncovered: withMarks(uncovered, marks).map(({ sequence: number, basis, key }) => ({
      basis,
      key,
      sequence: number,
    })),
    guardianshipsEnded: newlyEnded,
    contractsEnded: contracts.map(({ contract, reason }) => ({ contract, reason })),
    subProcessorsRefused: newlyRefused,
    restrictions: withMarks(restrictions, marks).map(restrictionOf),
  })
}

/** All of it at one moment: one statement has one snapshot. Numbers are far below 2^53. */
async function rowsSince(db: Database, { sequence, restriction }: Reached): Promise<RowsSince> {
  const { rows } = await sql<RowsSince>`
    ${KEPT} select
      array(select json_build_object('sequence', sequence, 'grant_sequence', grant_sequence)
        from consent_revocation where sequence > ${sequence}::bigint order by consent_revocation.sequence) as revoked,
      array(select json_build_object('sequence', sequence, 'data_set', data_set, 'purpose', purpose, 'person', person)
        from objection where sequence > ${sequence}::bigint order by objection.sequence) as objections,
      array(select json_build_object('sequence', sequence, 'receipt', receipt)
        from (select sequence, receipt from objection union all select sequence, receipt from objection_withdrawal) as told
        where sequence > ${sequence}::bigint order by sequence) as objection_receipts,
      array(select json_build_object('id', id, 'restriction', restriction, 'issuer', issuer, 'reason', reason, 'person', person)
        from restriction where id > ${restriction}::bigint order by id) as restrictions,
      array(select json_build_object('sequence', sequence, 'basis', basis, 'reason', reason)
        from legal_basis_end where sequence > ${sequence}::bigint order by legal_basis_end.sequence) as bases,
      array(select json_build_object('sequence', sequence, 'basis', basis, 'person', person)
        from legal_basis_person where sequence > ${sequence}::bigint and not is_covered
        order by legal_basis_person.sequence) as uncovered,
      array(select json_build_object('sequence', sequence, 'contract', contract, 'reason', reason)
        from processing_contract_end where sequence > ${sequence}::bigint order by processing_contract_end.sequence) as contracts,
      array(select guardianship from guardianship where ended_ms is not null order by id) as ended,
      array(select json_build_object('change', change, 'reason', coalesce(reason, ''))
        from sub_processor_answer where answer <> 'approved' order by change) as refused`.execute(db)
  const [found] = rows
  if (!found) throw new Fault('fault.internal', { what: 'Cannot read what was taken back' })
  return found
}

interface RowsSince {
  readonly revoked: readonly { readonly sequence: number; readonly grant_sequence: number }[]
  readonly objections: readonly ObjectionRow[]
  readonly objection_receipts: readonly { readonly sequence: number; readonly receipt: number }[]
  readonly restrictions: readonly RestrictionRow[]
  readonly bases: readonly { readonly sequence: number; readonly basis: string; readonly reason: string }[]
  readonly uncovered: readonly UncoveredRow[]
  readonly contracts: readonly {
    readonly sequence: number
    readonly contract: string
    readonly reason: string
  }[]
  readonly ended: readonly string[]
  readonly refused: readonly { readonly change: string; readonly reason: string }[]
}

function withMarks<R extends { readonly person: number }>(
  rows: readonly R[],
  marks: ReadonlyMap<number, Digest>,
): readonly Marked<R>[] {
  return rows.flatMap((row) => {
    const key = marks.get(row.person)
    return key === undefined ? [] : [{ ...row, key }]
  })
}

function objectionOf({ sequence, data_set: dataSet, purpose, key }: Marked<ObjectionRow>) {
  return { key, sequence, ...(dataSet === null ? {} : { dataSet }), purpose }
}

function restrictionOf({ id, restriction, issuer, reason, key }: Marked<RestrictionRow>) {
  return { key, id, restriction, issuer, reason }
}

/** A row with the mark of its person's key. */
type Marked<R> = R & { readonly key: Digest }

interface UncoveredRow {
  readonly sequence: number
  readonly basis: string
  readonly person: number
}

interface ObjectionRow {
  readonly sequence: number
  readonly data_set: string | null
  readonly purpose: string
  readonly person: number
}

interface RestrictionRow {
  readonly id: number
  readonly restriction: string
  readonly issuer: string
  readonly reason: string
  readonly person: number
}

/**
 * Adds a line that is on the disk when this resolves, on a line of its own whatever a crash left before it. Whoever takes something
 * back waits for it: only the wait for the disk leaves the event loop (`durable-file.ts`).
 */
export async function appendLine(path: string, value: unknown): Promise<void> {
  const file = openSync(path, 'a', 0o600)
  try {
    const { size } = fstatSync(file)
    writeFileSync(file, `\n${JSON.stringify(value)}`)
    await force(file)
    // A file's name has to reach the disk once, with its first line.
    if (size === 0) await syncDirectory(dirname(path))
  } finally {
    closeSync(file)
  }
}
