import type { DuckDBConnection } from '@duckdb/node-api'
import type { CopyJournal } from './compact-vault.ts'
import { inTransaction } from './engine.ts'
import type { Engine } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import type { Vault } from './vault.ts'
import { vaultFault } from './vault-fault.ts'
import type { VaultMemory } from './vault-memory.ts'
import { readWhereRowsAre } from './where-rows-are.ts'
import type { WhereRowsAre } from './where-rows-are.ts'

/** Runs an act of the vault in its turn; `forgotten` are those whom a change forgets. */
export type Turn = <T>(
  what: string,
  act: (engine: Engine) => Promise<T>,
  forgotten?: readonly number[],
) => Promise<T>

/** Runs an act that changes rows alone: no table comes or goes, and nobody comes to be behind rows with others. */
export type RowsTurn = <T>(
  what: string,
  act: (engine: Engine, where: () => Promise<WhereRowsAre>) => Promise<T>,
  forgotten?: readonly number[],
) => Promise<T>

/** Reads much, over a connection of its own: nobody who reads a little waits for it. */
export type ReadApart = <T>(what: string, act: (connection: DuckDBConnection) => Promise<T>) => Promise<T>

/** Acts of one connection run one after another; what the engine says stays inside. */
export function turns(
  engines: EngineInUse,
  { memory, journal }: { memory: VaultMemory; journal: CopyJournal },
): Record<'writing' | 'reading' | 'looking' | 'change' | 'aside', Turn> &
  Pick<Vault, 'changes'> & { readonly changingRows: RowsTurn; readonly apart: ReadApart } {
  let changes = 0
  const guarded = async <T>(engine: Engine, what: string, act: (engine: Engine) => Promise<T>) => {
    try {
      return await act(engine)
    } catch (error) {
      engine.note(error)
      throw vaultFault(error, `Cannot ${what}`)
    }
  }
  const turn: Turn = (what, act, forgotten) =>
    engines.writing.run(async () => {
      journal.note(forgotten)
      changes += 1
      try {
        return await guarded(engines.current, what, act)
      } finally {
        changes += 1
      }
    })
  const whereRowsAre = new WeakMap<Engine, WhereRowsAre>()
  /** Any change may be of tables, or of who is behind rows, but for those that say they change rows alone. */
  const writing: Turn = (what, act, forgotten) =>
    turn(
      what,
      (engine) => {
        whereRowsAre.delete(engine)
        return act(engine).finally(() => whereRowsAre.delete(engine))
      },
      forgotten,
    )
  const changingRows: RowsTurn = (what, act, forgotten) =>
    turn(
      what,
      (engine) =>
        act(engine, async () => {
          const where = whereRowsAre.get(engine) ?? (await readWhereRowsAre(engine.writer))
          whereRowsAre.set(engine, where)
          return where
        }),
      forgotten,
    )
  const looking: Turn = (what, act) =>
    engines.hold(({ engine }) => engine.reading.run(() => guarded(engine, what, act)))
  return {
    changes: () => changes,
    // What no read depends on. A copy that is being written looks for it at its end.
    aside: (what, act) =>
      engines.writing.run(() =>
        guarded(engines.current, what, (engine) => inTransaction(engine.writer, () => act(engine))),
      ),
    writing,
    changingRows,
    // In one transaction: a plan is made for the rows that there are, and over others it fails or reads wrongly.
    reading: (what, act) => looking(what, (engine) => inTransaction(engine.reader, () => act(engine))),
    looking,
    apart: (what, act) =>
      engines.hold(({ engine, apart }) =>
        apart.use((connection) =>
          guarded(engine, what, () => inTransaction(connection, () => act(connection))),
        ),
      ),
    // A change in one transaction; what memory holds of it is read anew.
    change: (what, act, forgotten) =>
      writing(what, (engine) => inTransaction(engine.writer, () => act(engine)), forgotten).finally(() =>
        memory.forgetAll(),
      ),
  }
}
