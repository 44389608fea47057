import { GroupCommit } from '../../kernel/group-commit.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { correctingOf } from './correct-together.ts'
import { columnTypes } from './data-set-tables.ts'
import { inTransaction } from './engine.ts'
import { forgetPeople } from './forget-person.ts'
import { giveNumbers } from './people-table.ts'
import { tableOf } from './stored-columns.ts'
import { appendBatch, setAsidePart, takeBatch } from './take-rows.ts'
import { byDataSet, takeTogether } from './take-together.ts'
import type { Arrival, ArrivingBatch, Vault } from './vault.ts'
import type { RowsTurn, Turn } from './vault-turns.ts'
import type { VaultMemory } from './vault-memory.ts'

/** People who are forgotten by one write at most. */
const FORGOTTEN_AT_ONCE = 64

/** What a number of a list takes in memory. */
const NUMBER_BYTES = 8

/** The common changes: people come with their rows, and go. Each costs what it changes, however many there are. */
export function changesOf(
  { writing, changingRows }: { readonly writing: Turn; readonly changingRows: RowsTurn },
  memory: VaultMemory,
): Pick<
  Vault,
  'numberPeople' | 'forget' | 'forgetAll' | 'correct' | 'append' | 'takeTogether' | 'setAside' | 'take'
> {
  /** Whoever was forgotten since the vault was opened: an import that began before may bring rows of theirs at any time. */
  const forgotten = new Set<number>()
  return {
    ...comingAndGoing(changingRows, { memory, forgotten }),
    ...takingOf(writing, { memory, forgotten }),
    correct: correctingOf(changingRows, memory),
    takeTogether: (arrival) =>
      changingRows('take rows', async ({ writer }) => {
        const before = memory.counts()
        const { taken, isOfForgotten } = await takeTogether(writer, arrival, {
          forgotten,
          hasHouseholds: !memory.isWithoutHouseholds(),
          columnsOf: (dataSet) =>
            memory.columns(dataSet, async () => [...(await columnTypes(writer, tableOf(dataSet))).keys()]),
        }).catch(forgettingAll(memory))
        noteArrival(memory, arrival)
        if (isOfForgotten) memory.forgetAll()
        const fresh = arrival.batches.filter((_, index) => taken[index]?.isNew === true)
        for (const [dataSet, batches] of byDataSet(fresh))
          memory.noteAppended(dataSet, { rows: rowsOf(batches), before })
        return taken
      }),
  }
}

/** Whoever came, and what is known of them. */
function noteArrival(memory: VaultMemory, { expected: { first, newcomers }, facts }: Arrival): void {
  memory.noteNumbered(
    newcomers,
    Int32Array.from(newcomers, (_, index) => first + index),
  )
  memory.noteFacts(facts)
}

/** How many rows of each number batches have. */
function rowsOf(batches: readonly ArrivingBatch[]): ReadonlyMap<number, number> {
  const rows = new Map<number, number>()
  for (const batch of batches)
    for (const number of batch.rows.values(0)) rows.set(Number(number), (rows.get(Number(number)) ?? 0) + 1)
  return rows
}

interface Changing {
  readonly memory: VaultMemory
  readonly forgotten: Set<number>
}

/** How people get numbers and are forgotten. Those who go at the same time go together. */
function comingAndGoing(
  changingRows: RowsTurn,
  { memory, forgotten }: Changing,
): Pick<Vault, 'numberPeople' | 'forget' | 'forgetAll'> {
  const forgetAll = (people: readonly number[]): Promise<void> =>
    changingRows(
      'forget people',
      async ({ writer }, where) => {
        const before = memory.counts()
        const { rows, numbers } = await inTransaction(writer, async () =>
          forgetPeople(writer, people, await where()),
        ).catch(forgettingAll(memory))
        memory.noteForgotten(people, { numbers, rows, before })
      },
      () => ({ again: (writer) => forgetPeople(writer, people), sizeBytes: people.length * NUMBER_BYTES }),
    )
  const forgetting = new GroupCommit(async (people: readonly number[]) => {
    await forgetAll(people)
    return people
  }, FORGOTTEN_AT_ONCE)
  return {
    numberPeople: (lookups) =>
      changingRows('number people', async ({ writer }) => {
        const numbers = await inTransaction(writer, () => giveNumbers(writer, lookups)).catch(
          forgettingAll(memory),
        )
        memory.noteNumbered(lookups, numbers)
        return numbers
      }),
    forget: async (person) => {
      forgotten.add(person)
      await forgetting.add(person)
    },
    forgetAll,
  }
}

/** How long batches come in. */
function takingOf(
  writing: Turn,
  { memory, forgotten }: Changing,
): Pick<Vault, 'append' | 'setAside' | 'take'> {
  return {
    append: (batch, rows) =>
      writing('append a batch', async ({ writer }) => {
        const { people, ...taken } = await appendBatch(writer, batch, { rows, forgotten }).catch(
          forgettingAll(memory),
        )
        const { dataSet }: { dataSet: DataSetId } = batch.manifest
        if (people === undefined) memory.forgetAll()
        else memory.noteAppended(dataSet, { people })
        return taken
      }),
    setAside: (part, rows) => writing('set rows aside', ({ writer }) => setAsidePart(writer, part, rows)),
    take: (batch) =>
      writing('take a batch', ({ writer }) => takeBatch(writer, batch, forgotten)).finally(() =>
        memory.forgetAll(),
      ),
  }
}

/** Whether a change that failed was made is not known. */
function forgettingAll(memory: VaultMemory): (error: unknown) => never {
  return (error) => {
    memory.forgetAll()
    memory.index.noteForgotten()
    throw error
  }
}
