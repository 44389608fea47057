import { GroupCommit } from '../../kernel/group-commit.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Fault } from '../../kernel/faults.ts'
import { correctRows } from './correct-rows.ts'
import { columnTypes } from './data-set-tables.ts'
import { inTransaction } from './engine.ts'
import type { Engine } from './engine.ts'
import { forgetPeople } from './forget-person.ts'
import { giveNumbers } from './people-table.ts'
import { tableOf } from './stored-columns.ts'
import { appendBatch, setAsidePart, takeBatch } from './take-rows.ts'
import { byDataSet, takeTogether } from './take-together.ts'
import type { Arrival, ArrivingBatch, RowCorrection, Vault } from './vault.ts'
import { vaultFault } from './vault-fault.ts'
import type { RowsTurn, Turn } from './vault-turns.ts'
import type { VaultMemory } from './vault-memory.ts'

/** People who are forgotten, or corrected, by one write at most. */
const CHANGED_AT_ONCE = 64

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
      (writer) => forgetPeople(writer, people),
    )
  const forgetting = new GroupCommit(async (people: readonly number[]) => {
    await forgetAll(people)
    return people
  }, CHANGED_AT_ONCE)
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

/** How rows are corrected. What comes at the same time is written together; where that cannot be, each alone. */
function correctingOf(changingRows: RowsTurn, memory: VaultMemory): Vault['correct'] {
  const write = ({ writer }: Engine, corrections: readonly RowCorrection[]) =>
    inTransaction(writer, async () => {
      const corrected: Corrected[] = []
      for (const correction of corrections) corrected.push(await correctRows(writer, correction))
      return corrected
    }).finally(() => {
      for (const { manifest, facts } of corrections) {
        if (facts.birthDate === undefined && facts.residence === undefined)
          memory.noteCorrected(manifest.dataSet)
        else memory.forgetAll()
      }
    })
  const writeAll = async (engine: Engine, corrections: readonly RowCorrection[]) => {
    try {
      return await write(engine, corrections)
    } catch (error) {
      if (corrections.length === 1) throw error
      engine.note(error)
      return eachAlone(corrections, (correction) => write(engine, [correction]))
    }
  }
  const correcting = new GroupCommit((corrections: readonly RowCorrection[]) => {
    let made: readonly RowCorrection[] = []
    return changingRows(
      'correct rows',
      async (engine) => {
        const became = await writeAll(engine, corrections)
        made = corrections.filter((_, index) => 'rows' in (became[index] ?? {}))
        return became
      },
      async (writer) => {
        for (const correction of made) await correctRows(writer, correction)
      },
    )
  }, CHANGED_AT_ONCE)
  return async (correction) => {
    const became = await correcting.add(correction)
    if ('fault' in became) throw became.fault
    return became
  }
}

type Corrected = { readonly rows: number } | { readonly fault: Fault }

async function eachAlone(
  corrections: readonly RowCorrection[],
  write: (correction: RowCorrection) => Promise<readonly Corrected[]>,
): Promise<readonly Corrected[]> {
  const all: Corrected[] = []
  for (const correction of corrections) {
    try {
      all.push(...(await write(correction)))
    } catch (error) {
      all.push({ fault: vaultFault(error, 'Cannot correct rows') })
    }
  }
  return all
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
