import { Bitset } from '../../kernel/bitset.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { describeProblems } from '../../kernel/parse.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { keyColumnsOf, setsPerPersonOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import { endedColumns } from '../../protocol/law/retention.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import type { RowEnds } from '../retention/row-ends.ts'
import { isSealed } from '../vault/stored-columns.ts'
import type { Vault } from '../vault/vault.ts'
import { importTurn } from './import-batch.ts'
import { findDataSet, manifestDigest, saveManifest } from './data-set-store.ts'
import type { DataSetRecord } from './data-set-store.ts'

/**
 * Describes a data set, or changes the terms of one: kept as a version of its own, with its table in the vault. The
 * same manifest again changes nothing. The vault comes first, where doing it twice does no harm; the record then says
 * that it is so. One after another, so that of two who describe a new name at once the first has it, with its table, and
 * the other is told so before anything of theirs is done.
 *
 * @throws Fault `fault.manifest_invalid`; `fault.conflict` for a change that rows already taken cannot follow
 */
export async function describeDataSet(parts: DescribeParts, manifest: Manifest): Promise<DescribedDataSet> {
  const problems = typeProblems(manifest)
  if (problems.length > 0) throw invalid(problems)
  const turn = termsTurn(parts.db)
  const unchanged = await turn.run(async () =>
    (await changesTerms(parts, manifest)) ? undefined : describeInTurn(parts, manifest),
  )
  if (unchanged) return unchanged
  // Nor do terms change under an import, whose rows were checked by those that it found.
  return importTurn(parts.vault).run(() => turn.run(() => describeInTurn(parts, manifest)))
}

interface DescribeParts {
  readonly db: Database
  readonly vault: Vault
  readonly clock: Clock
  /** The guard, which is told of whom terms change what counts. Only a site without answers does without. */
  readonly partitions?: Pick<PartitionStore, 'noteChange'>
  readonly rowEnds?: Pick<RowEnds, 'kept'>
}

type DescribedDataSet = DataSetRecord & { readonly isNew: boolean }

/** One process holds a site's directory, so that taking turns in it is taking turns at all. */
const turns = new WeakMap<Database, Mutex>()

/** The turn of terms of a record, for whatever may not happen while those of a data set change. Whoever takes that of imports too takes it first. */
export function termsTurn(db: Database): Mutex {
  const known = turns.get(db) ?? new Mutex()
  turns.set(db, known)
  return known
}

async function changesTerms({ db }: DescribeParts, manifest: Manifest): Promise<boolean> {
  const known = await findDataSet(db, manifest.dataSet)
  return known !== undefined && known.manifestDigest !== manifestDigest(manifest)
}

async function describeInTurn(parts: DescribeParts, manifest: Manifest): Promise<DescribedDataSet> {
  const { db, vault, clock, partitions } = parts
  const known = await findDataSet(db, manifest.dataSet)
  const isNew = known?.manifestDigest !== manifestDigest(manifest)
  const now = clock.now()
  if (known) requireCompatible(known, manifest)
  if (known && isNew) await requireValues(vault, { was: known.manifest, is: manifest, now })
  await vault.describe(manifest)
  if (known && !isNew) return { ...known, isNew }
  const version = (known?.version ?? 0) + 1
  await db.transaction().execute(async (tx) => {
    const noted = { dataSet: manifest.dataSet, cause: `terms ${version}` }
    // Counted first, and until it is over nothing else can be: rows that come meanwhile are counted after it.
    await partitions?.noteChange(tx, { ...noted, people: new Bitset() })
    const people = await countedOtherwise(parts, known?.manifest, manifest)
    if (!people.isEmpty) await partitions?.noteChange(tx, { ...noted, people })
    await saveManifest(tx, { manifest, version, now })
  })
  return { manifest, manifestDigest: manifestDigest(manifest), version, describedAt: now, isNew }
}

/**
 * Whose values or rows count otherwise by the new terms: to the guard their rows have changed. Nobody is marked who was in no
 * answer yet, so no answer may be made by the old terms after that: what looked before is not reserved, because the count has moved,
 * and what looks after finds other terms than it was planned by (`isStillSo`).
 */
async function countedOtherwise(
  { vault, rowEnds }: DescribeParts,
  was: Manifest | undefined,
  is: Manifest,
): Promise<Bitset> {
  const { dataSet } = is
  return was ? vault.numbersUnderTerms(dataSet, { was, is, kept: rowEnds?.kept(dataSet) }) : new Bitset()
}

/**
 * A column that is required from now on, or is in use again after its values were deleted, has to have a value in every
 * row that is there: what is required is taken to leave out nobody's rows (`row-shapes.ts`).
 */
async function requireValues(
  vault: Vault,
  { was, is, now }: { readonly was: Manifest; readonly is: Manifest; readonly now: Instant },
): Promise<void> {
  const ended = new Set([...endedColumns(is, now), ...keyColumnsOf(is)])
  const before = new Map(was.columns.map((column) => [column.name, column]))
  const isOfOldTerms = canonicalJson(was.retention) === canonicalJson(is.retention)
  const required = is.columns.filter(
    (column) =>
      column.isRequired &&
      !isSealed(column) &&
      !ended.has(column.name) &&
      !(isOfOldTerms && before.get(column.name)?.isRequired),
  )
  if (required.length === 0 || (await vault.rowCount(is.dataSet)) === 0) return
  const [known, added] = [
    required.filter(({ name }) => before.has(name)),
    required.filter(({ name }) => !before.has(name)),
  ]
  const names = known.map(({ name }) => name)
  const empty = [...added.map(({ name }) => name), ...(await vault.columnsWithGaps(is.dataSet, names))]
  if (empty.length === 0) return
  throw cannotChange(
    is,
    is.columns.flatMap(({ name }, index) =>
      empty.includes(name)
        ? [
            {
              field: `columns[${index}].isRequired`,
              expected: 'expected false: there are rows without a value',
            },
          ]
        : [],
    ),
  )
}

/** What the rules of age need can only be read from columns of these types. */
function typeProblems({ columns, person }: Manifest): readonly FieldProblem[] {
  const typeOf = (name: string | undefined) => columns.find((column) => column.name === name)?.type
  const problems: FieldProblem[] = []
  const birthType = typeOf(person.birthDate)
  if (birthType !== undefined && birthType !== 'date') {
    problems.push({ field: 'person.birthDate', expected: 'expected a column of type date' })
  }
  const residenceType = typeOf(person.residence)
  if (residenceType !== undefined && residenceType !== 'text') {
    problems.push({ field: 'person.residence', expected: 'expected a column of type text' })
  }
  const keyType = typeOf(person.key)
  if (keyType !== undefined && keyType !== 'text' && keyType !== 'integer') {
    problems.push({ field: 'person.key', expected: 'expected a column of type text or integer' })
  }
  return problems
}

/** Columns may come, terms may change; rows that are there must keep their meaning. */
function requireCompatible(known: DataSetRecord, manifest: Manifest): void {
  if (known.retiredAt !== undefined) {
    throw new Fault('fault.conflict', {
      what: `Cannot describe "${manifest.dataSet}": it was retired; use another name`,
    })
  }
  const before = known.manifest
  if (before.issuer !== manifest.issuer) throw nameTaken(manifest)
  const errors = [
    ...(before.person.key === manifest.person.key
      ? []
      : [{ field: 'person.key', expected: `expected "${before.person.key}", as before` }]),
    ...othersProblems(before, manifest),
    ...before.columns.flatMap((column) => columnProblems(column, manifest)),
  ]
  if (errors.length > 0) throw cannotChange(manifest, errors)
}

function cannotChange({ dataSet }: Manifest, errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.conflict', {
    what: `Cannot change the manifest of "${dataSet}": ${describeProblems(errors)}`,
    errors,
  })
}

/** A name that another issuer has is taken: that much has to be said, and whose it is has not. */
function nameTaken({ dataSet }: Manifest): Fault {
  return new Fault('fault.conflict', {
    what: `Cannot describe "${dataSet}": the name is taken`,
    errors: [{ field: 'issuer', expected: 'expected the issuer that has this name here, or another name' }],
  })
}

/** What is stored says who a row is about by the places of these columns, and no more sets than were allowed. */
function othersProblems(before: Manifest, manifest: Manifest): readonly FieldProblem[] {
  const [known, wanted] = [keyColumnsOf(before).slice(1), keyColumnsOf(manifest).slice(1)]
  if (known.length !== wanted.length || known.some((name, place) => wanted[place] !== name))
    return [{ field: 'person.others.keys', expected: 'expected the columns as before' }]
  if (setsPerPersonOf(manifest) >= setsPerPersonOf(before)) return []
  return [
    {
      field: 'person.others.setsPerPersonMax',
      expected: `expected ${setsPerPersonOf(before)} or more, as before: rows are stored so`,
    },
  ]
}

function columnProblems(before: Column, { columns }: Manifest): readonly FieldProblem[] {
  const index = columns.findIndex(({ name }) => name === before.name)
  const column = columns[index]
  if (!column) return [{ field: 'columns', expected: `expected the column "${before.name}", as before` }]
  const field = `columns[${index}]`
  if (column.type !== before.type)
    return [{ field: `${field}.type`, expected: `expected "${before.type}", as before` }]
  if (column.about !== before.about)
    return [{ field: `${field}.about`, expected: 'expected what it was before: its values are stored so' }]
  if (isSealed(column) === isSealed(before)) return []
  return [
    {
      field: `${field}.sensitivity`,
      expected: `expected "${before.sensitivity}", as before: its values are stored so`,
    },
  ]
}

function invalid(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.manifest_invalid', {
    what: `Cannot use the manifest: ${describeProblems(errors)}`,
    errors,
  })
}
