import { GroupCommit } from '../../kernel/group-commit.ts'
import { correctingOf } from './correct-together.ts'
import { columnTypes } from './data-set-tables.ts'
import { inTransaction } from './engine.ts'
import { forgetPeople } from './forget-person.ts'
import { knowingOf } from './know-people.ts'
import { tableOf } from './stored-columns.ts'
import { byDataSet, takeTogether } from './take-together.ts'
import type { Arrival, ArrivingBatch, Vault } from './vault.ts'
import { forgettingAll, takingOf } from './take-long.ts'
import type { RowsTurn, Turns } from './vault-turns.ts'
import type { VaultMemory } from './vault-memory.ts'

/** People who are forgotten by one write at most. */
const FORGOTTEN_AT_ONCE = 64

/** What a number of a list takes in memory. */
const NUMBER_BYTES = 8

/** The common changes: people come with their rows, and go. Each costs what it changes, however many there are. */
export function changesOf(
  { writing, changingRows, beside, apart }: Pick<Turns, 'writing' | 'changingRows' | 'beside' | 'apart'>,
  memory: VaultMemory,
): Pick<
  Vault,
  | 'forget'
  | 'forgetAll'
  | 'correct'
  | 'append'
  | 'takeTogether'
  | 'setAside'
  | 'take'
  | 'numberPeople'
  | 'keepPrincipals'
  | 'keepSealedKeys'
> {
  /** Whoever was forgotten since the vault was opened: an import that began before may bring rows of theirs at any time. */
  const forgotten = new Set<number>()
  return {
    ...knowingOf({ changingRows, beside, apart }, { memory, forgotten }),
    ...forgettingOf(changingRows, { memory, forgotten }),
    ...takingOf({ writing, beside }, { memory, forgotten }),
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

/** What changes of rows go by. */
export interface Changing {
  readonly memory: VaultMemory
  readonly forgotten: Set<number>
}

/** How people are forgotten. Those who go at the same time go together. */
function forgettingOf(
  changingRows: RowsTurn,
  { memory, forgotten }: Changing,
): Pick<Vault, 'forget' | 'forgetAll'> {
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
    forget: async (person) => {
      forgotten.add(person)
      await forgetting.add(person)
    },
    forgetAll,
  }
}
