import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { changeGrants } from '../consent/change-grants.ts'
import { endBasis, uncoverPeople } from '../consent/change-bases.ts'
import { objectTo } from '../consent/change-objections.ts'
import { liveGrantsBySequence } from '../consent/grant-store.ts'
import { writeRevocations } from '../consent/revoke-grants.ts'
import { endContract } from '../contracts/change-contracts.ts'
import { answerChange } from '../contracts/sub-processor-acts.ts'
import { readSubProcessors } from '../contracts/sub-processor-store.ts'
import { endGuardianship } from '../principals/end-guardianship.ts'
import { restrictPerson } from '../rights/restrict-person.ts'
import type { SiteContext } from '../site-context.ts'
import type { TakenBack } from './kept-apart.ts'

/** How far the record of a backup had come. */
export interface BackupMarks {
  readonly sequence: number
  readonly restriction: number
}

/** How much was taken back again. */
export interface TakenBackAgain {
  readonly withdrawals: number
  readonly objections: number
  readonly restrictions: number
  /** Legal bases, guardianships and contracts that ended, people whom a basis covers no longer, sub-processors that were refused. */
  readonly endings: number
}

/** Who makes these changes, in the record. */
const BY = 'restore'

/**
 * Reads how far the record had come, and has it go on after all numbers that the lost site had given, so that none of
 * them means two things.
 */
export async function raiseMarks(db: Database, lines: readonly TakenBack[]): Promise<BackupMarks> {
  const reached = lines.at(-1) ?? { sequence: 0, restriction: 0 }
  const { rows } = await sql<{ last: bigint; restriction: bigint | null }>`
    select last, (select max(id) from restriction) as restriction from consent_sequence`.execute(db)
  const marks = { sequence: Number(rows[0]?.last ?? 0), restriction: Number(rows[0]?.restriction ?? 0) }
  await sql`update consent_sequence set last = greatest(last, ${reached.sequence})`.execute(db)
  if (reached.restriction > marks.restriction)
    await sql`select setval(pg_get_serial_sequence('restriction', 'id'), ${reached.restriction})`.execute(db)
  return marks
}

/** Withdraws, objects and restricts again what people did after the backup, by the acts that they did it by. */
export async function takeBackAgain(
  site: SiteContext,
  { lines, marks }: { lines: readonly TakenBack[]; marks: BackupMarks },
): Promise<TakenBackAgain> {
  const people = await whomLinesName(site, { lines, marks })
  const withdrawals = await withdrawAgain(
    site,
    lines.flatMap(({ revoked }) => revoked),
  )
  let objections = 0
  for (const { key, sequence, dataSet, purpose } of lines.flatMap((line) => line.objections)) {
    const person = people.get(key)
    if (person === undefined || sequence <= marks.sequence) continue
    objections += (await objectTo(site.consent, { people: [person], purpose, dataSet }, { by: BY })).changed
  }
  let restrictions = 0
  for (const { key, id, issuer, reason } of lines.flatMap((line) => line.restrictions)) {
    const person = people.get(key)
    if (person === undefined || id <= marks.restriction) continue
    await restrictPerson(site, { person, issuer, reason, requestedBy: BY })
    restrictions += 1
  }
  const endings = await endAgain(site, { people, lines, marks })
  const contracts = await endContractsAgain(site, lines)
  const refused = await refuseSubProcessorsAgain(site, lines)
  return { withdrawals, objections, restrictions, endings: endings + contracts + refused }
}

/** People by the marks of their keys, as far as a line names them for something that the backup does not have. */
function whomLinesName(
  site: SiteContext,
  { lines, marks }: { lines: readonly TakenBack[]; marks: BackupMarks },
): Promise<ReadonlyMap<Digest, number>> {
  const later = [
    ...lines
      .flatMap((line) => [...line.objections, ...line.uncovered])
      .filter(({ sequence }) => sequence > marks.sequence),
    ...lines.flatMap((line) => line.restrictions).filter(({ id }) => id > marks.restriction),
  ]
  return site.personKeys.findByMarks(site.db, new Set(later.map(({ key }) => key)))
}

async function endAgain(
  site: SiteContext,
  {
    people,
    lines,
    marks,
  }: { people: ReadonlyMap<Digest, number>; lines: readonly TakenBack[]; marks: BackupMarks },
): Promise<number> {
  let endings = 0
  const facts = { by: BY }
  for (const { basis, key, sequence } of lines.flatMap((line) => line.uncovered)) {
    const person = people.get(key)
    if (person === undefined || sequence <= marks.sequence) continue
    await uncoverPeople(site.consent, { basis, people: [person] }, facts)
    endings += 1
  }
  const { rows: bases } = await sql<{ id: string }>`
    select id from legal_basis where not exists (select from legal_basis_end where basis = id)`.execute(
    site.db,
  )
  const standing = new Set(bases.map(({ id }) => id))
  for (const ended of lines.flatMap((line) => line.basesEnded).filter(({ basis }) => standing.has(basis))) {
    await endBasis(site.consent, ended, facts)
    endings += 1
  }
  const { rows: guardianships } = await sql<{ guardianship: string }>`
    select guardianship from guardianship where ended_ms is null`.execute(site.db)
  const guarding = new Set(guardianships.map(({ guardianship }) => guardianship))
  for (const guardianship of lines
    .flatMap((line) => line.guardianshipsEnded)
    .filter((id) => guarding.has(id))) {
    await endGuardianship(site, { guardianship, by: BY })
    endings += 1
  }
  return endings
}

/** Contracts that ended after the backup; one that was recorded after it is not there to be ended. */
async function endContractsAgain(site: SiteContext, lines: readonly TakenBack[]): Promise<number> {
  const standing = new Set(site.contracts.list().flatMap(({ id, end }) => (end ? [] : [id])))
  const ended = lines.flatMap((line) => line.contractsEnded).filter(({ contract }) => standing.has(contract))
  for (const { contract, reason } of ended) await endContract(site, { contract, reason }, { by: BY })
  return ended.length
}

/** Sub-processors that were refused after the backup; one that was announced after it is not there to be refused. */
async function refuseSubProcessorsAgain(site: SiteContext, lines: readonly TakenBack[]): Promise<number> {
  const reasons = new Map(
    lines.flatMap((line) => line.subProcessorsRefused.map(({ change, reason }) => [change, reason])),
  )
  const open = (await readSubProcessors(site.db)).filter(({ id, answered }) => !answered && reasons.has(id))
  for (const known of open)
    await answerChange(site, known, { answer: 'withdrawn', reason: reasons.get(known.id), by: BY })
  return open.length
}

/** Grants by their numbers; those that were given after the backup are not there to be withdrawn. */
async function withdrawAgain(site: SiteContext, grants: readonly number[]): Promise<number> {
  if (grants.length === 0) return 0
  const { changed } = await changeGrants(site.consent, {
    body: { restore: 'withdrawals' },
    facts: { by: BY },
    act: async (tx, { last, now }) => {
      const ending = await liveGrantsBySequence(tx, grants)
      const revoked = await writeRevocations(tx, ending, { context: site.consent, last, now, by: BY })
      return { change: { sequence: last + revoked.length, newTerms: [], given: [], revoked }, unchanged: 0 }
    },
  })
  return changed
}
