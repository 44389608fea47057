import { formatInstant } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { Bitset } from '../../kernel/bitset.ts'
import type { BasisFacts, BasisRequest } from '../../protocol/law/basis-record.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { basisProblems } from './basis-problems.ts'
import type { BasisContext } from './basis-problems.ts'
import { insertBasis, insertBasisEnd, insertBasisPeople, readBases, wireFacts } from './basis-store.ts'
import type { StoredBasis } from './basis-store.ts'
import { changeGrants, malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { peopleOf } from './people-of.ts'

/**
 * Records what a legal basis rests on, with a receipt for each data set; uses may stand on it when this resolves.
 *
 * @throws Fault `fault.request_malformed` that names each wrong field
 */
export async function recordBasis(
  context: BasisContext,
  { id, request }: { id: string; request: BasisRequest },
  facts: ChangeFacts,
): Promise<void> {
  const { people: covered, ...said } = request
  const now = context.clock.now()
  const people = covered === 'everybody' ? undefined : await numbersOf(context, request.dataSets, covered)
  const problems = await basisProblems(context, request, now)
  if (problems.length > 0 || people?.unknown.length) {
    throw malformed([...problems, ...(people?.unknown ?? [])], 'the record')
  }
  const kept: BasisFacts = {
    ...said,
    validFrom: said.validFrom ?? now,
    people: people ? 'listed' : 'everybody',
  }
  await changeGrants(context, {
    body: { recordBasis: request },
    facts,
    act: async (tx, { last, now: at }) => {
      const sequence = last + 1
      const text = { ...wireFacts(kept, formatInstant), people: kept.people }
      await insertBasis(tx, { id, sequence, facts: text, now: at, by: facts.by })
      await insertBasisPeople(tx, {
        basis: id,
        sequence,
        people: people?.numbers ?? [],
        isCovered: true,
        now: at,
        by: facts.by,
      })
      await issue(tx, context, { dataSets: kept.dataSets, said: { recorded: id, facts: text } })
      const basis = { id, facts: kept, ...(people ? { people: Bitset.of(people.numbers) } : {}) }
      return changed(sequence, { what: 'recorded', basis })
    },
  })
}

/** Ends a basis: nothing stands on it from the moment this resolves, runs under way included. One that has ended stays so. */
export async function endBasis(
  context: ConsentContext,
  { basis: id, reason }: { basis: string; reason: string },
  facts: ChangeFacts,
): Promise<void> {
  await changeGrants(context, {
    body: { endBasis: id, reason },
    facts,
    act: async (tx, { last, now }) => {
      const known = await liveBasis(tx, id)
      if (!known) return { change: { sequence: last, newTerms: [], given: [], revoked: [] }, unchanged: 1 }
      const sequence = last + 1
      await insertBasisEnd(tx, { basis: id, sequence, reason, now, by: facts.by })
      await issue(tx, context, { dataSets: known.facts.dataSets, said: { ended: id } })
      return changed(sequence, { what: 'ended', basis: id })
    },
  })
}

/** Adds people to those whom a basis lists, and takes others away, who are in no run from the moment this resolves. */
export async function changeBasisPeople(
  context: ConsentContext,
  { basis: id, add, remove }: { basis: string; add: readonly string[]; remove: readonly string[] },
  facts: ChangeFacts,
): Promise<void> {
  const [known] = await readBases(context.db, { ids: [id] })
  if (!known || known.facts.people === 'everybody' || known.end !== undefined) {
    throw new Fault('fault.conflict', {
      what: 'Cannot change whom the basis covers: it has ended, or covers everybody',
    })
  }
  const { dataSets } = known.facts
  const added = await numbersOf(context, dataSets, add, 'add')
  const removed = await numbersOf(context, dataSets, remove, 'remove')
  if (added.unknown.length > 0) throw malformed(added.unknown, 'the people')
  await changeGrants(context, {
    body: { basisPeople: { id, add, remove } },
    facts,
    act: async (tx, { last, now }) => {
      if (!(await liveBasis(tx, id)))
        throw new Fault('fault.conflict', { what: 'Cannot change whom the basis covers: it has ended' })
      const sequence = last + 1
      const gone = new Set(removed.numbers)
      const [coming, going] = [added.numbers.filter((one) => !gone.has(one)), removed.numbers]
      const at = { basis: id, sequence, now, by: facts.by }
      await insertBasisPeople(tx, { ...at, people: coming, isCovered: true })
      await insertBasisPeople(tx, { ...at, people: going, isCovered: false })
      await issue(tx, context, { dataSets, said: { people: id, sequence } })
      return changed(sequence, { what: 'people', basis: id, added: coming, removed: going })
    },
  })
}

/** Takes people away from those whom a basis lists, by their numbers: for a restore, which does again what was done. */
export async function uncoverPeople(
  context: ConsentContext,
  { basis: id, people }: { basis: string; people: readonly number[] },
  facts: ChangeFacts,
): Promise<void> {
  await changeGrants(context, {
    body: { uncover: id, people },
    facts,
    act: async (tx, { last, now }) => {
      const known = await liveBasis(tx, id)
      if (!known || known.facts.people === 'everybody')
        return { change: { sequence: last, newTerms: [], given: [], revoked: [] }, unchanged: people.length }
      const sequence = last + 1
      await insertBasisPeople(tx, { basis: id, sequence, people, isCovered: false, now, by: facts.by })
      await issue(tx, context, { dataSets: known.facts.dataSets, said: { people: id, sequence } })
      return changed(sequence, { what: 'people', basis: id, added: [], removed: people })
    },
  })
}

function changed(sequence: number, basis: NonNullable<Change['bases']>[number]) {
  return { change: { sequence, newTerms: [], given: [], revoked: [], bases: [basis] }, unchanged: 0 }
}

type Change = Awaited<ReturnType<Parameters<typeof changeGrants>[1]['act']>>['change']

async function liveBasis(tx: DatabaseTransaction, id: string): Promise<StoredBasis | undefined> {
  const [known] = await readBases(tx, { ids: [id] })
  return known?.end === undefined ? known : undefined
}

/** A receipt of the kind `policy` for each data set, over what was said of it; people are not in it. */
async function issue(
  tx: DatabaseTransaction,
  { receipts }: ConsentContext,
  { dataSets, said }: { dataSets: readonly DataSetId[]; said: unknown },
): Promise<void> {
  const policy = digestOfJson(said)
  await receipts.issue(
    tx,
    dataSets.map((dataSet) => ({ kind: 'policy', dataSet, policy })),
  )
}

/** Numbers of people by the keys of the issuer, who is the same for all data sets of a record. */
async function numbersOf(
  context: ConsentContext,
  [dataSet]: readonly DataSetId[],
  keys: readonly string[],
  field = 'people',
): Promise<{ numbers: readonly number[]; unknown: readonly FieldProblem[] }> {
  if (dataSet === undefined) return { numbers: [], unknown: [] }
  const found = await peopleOf(
    context,
    keys.map((person) => ({ dataSet, person })),
  )
  const unknown = found.flatMap((number, index) =>
    number >= 0
      ? []
      : [{ field: `${field}[${index}]`, expected: 'expected the key of a person in the data set' }],
  )
  return { numbers: [...new Set(found.filter((number) => number >= 0))], unknown }
}
