import { inTransaction } from './engine.ts'
import type { Engine } from './engine.ts'
import { forgetPeople, whoIsGone } from './forget-person.ts'
import { appendBatch, dropBrought, setAsidePart, takeCopies, takeWhole } from './take-rows.ts'
import type { BroughtRows } from './take-rows.ts'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { TakenBatch, Vault } from './vault.ts'
import type { VaultMemory } from './vault-memory.ts'
import type { BesideTurn, Turn } from './vault-turns.ts'

interface LongParts {
  readonly memory: VaultMemory
  /** Whoever was forgotten since the vault was opened: what began before may bring rows of theirs at any time. */
  readonly forgotten: ReadonlySet<number>
}

/** Whether rows of somebody who was forgotten were among them. */
type Settled = BroughtRows & { readonly isOfForgotten: boolean }

/**
 * How long batches come in: read, sealed and written beside the changes of others, who wait for nothing but the end of the
 * transaction. What is of people who were forgotten meanwhile is deleted in it: nobody ever reads it.
 */
export function takingOf(
  { writing, beside }: { readonly writing: Turn; readonly beside: BesideTurn },
  { memory, forgotten }: LongParts,
): Pick<Vault, 'append' | 'setAside' | 'take'> {
  const bring = bringing(beside, { memory, forgotten })
  return {
    append: async (batch, rows) => {
      const { dataSet } = batch.manifest
      return toTaken(
        await bring('append a batch', {
          bring: (connection) => appendBatch(connection, batch, rows),
          beforeShown: batch.beforeShown,
          shown: (brought) => memory.noteAppended(dataSet, brought),
        }),
      )
    },
    setAside: async (part, rows) => {
      const aside = await bring('set rows aside', {
        bring: (connection) => setAsidePart(connection, part, rows),
        shown: () => undefined,
      })
      return aside.rows
    },
    take: async (batch) => {
      const { dataSet, beforeShown } = batch
      const whole = await writing('take a batch', async ({ writer }) => {
        const taken = await inTransaction(writer, async () => {
          const rows = await takeWhole(writer, batch, forgotten)
          if (rows) beforeShown?.()
          return rows
        })
        if (taken && forgotten.size > 0) memory.forgetAll()
        else if (taken) memory.noteReplaced(dataSet)
        return taken
      }).catch(forgettingAll(memory))
      if (whole) return whole
      return toTaken(
        await bring('take a batch', {
          bring: (connection) => takeCopies(connection, batch),
          beforeShown,
          shown: (brought) => memory.noteAppended(dataSet, brought),
        }),
      )
    },
  }
}

interface Bringing {
  readonly bring: (connection: DuckDBConnection) => Promise<BroughtRows>
  readonly beforeShown?: (() => void) | undefined
  readonly shown: (brought: BroughtRows) => void
}

/** Brings rows beside the changes of others, and settles in the turn what is of those who were forgotten. */
function bringing(
  beside: BesideTurn,
  { memory, forgotten }: LongParts,
): (what: string, steps: Bringing) => Promise<BroughtRows> {
  const settle = async (
    { engine: { writer }, connection }: { readonly engine: Engine; readonly connection: DuckDBConnection },
    brought: BroughtRows,
  ): Promise<Settled> => {
    const gone = await whoIsGone(writer, { numbers: brought.people, forgotten })
    if (gone.length > 0) {
      // Whoever numbered them before they were forgotten may have kept what is known of them, too.
      await inTransaction(writer, () => forgetPeople(writer, [...forgotten]))
      await dropBrought(connection, brought, gone)
    }
    return { ...brought, isOfForgotten: gone.length > 0 }
  }
  return (what, steps) =>
    beside(what, {
      bring: steps.bring,
      settle: async (on, brought) => {
        const settled = await settle(on, brought)
        if (brought.isNew) steps.beforeShown?.()
        return settled
      },
      note: (settled) => {
        if (settled.isOfForgotten) memory.forgetAll()
        else steps.shown(settled)
      },
    }).catch(forgettingAll(memory))
}

function toTaken({ isNew, rows }: BroughtRows): TakenBatch {
  return { isNew, rows }
}

/** Whether a change that failed was made is not known. */
export function forgettingAll(memory: VaultMemory): (error: unknown) => never {
  return (error) => {
    memory.forgetAll()
    memory.index.noteForgotten()
    throw error
  }
}
