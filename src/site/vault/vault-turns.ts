import type { DuckDBConnection } from '@duckdb/node-api'
import type { ChangeMade, CopyJournal } from './copy-journal.ts'
import { inTransaction } from './engine.ts'
import type { Engine } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import type { Vault } from './vault.ts'
import { vaultFault } from './vault-fault.ts'
import type { VaultMemory } from './vault-memory.ts'
import { readWhereRowsAre } from './where-rows-are.ts'
import type { WhereRowsAre } from './where-rows-are.ts'

/** What makes a change that was just made in a copy that was begun before it; `undefined` where it is not known what was made. */
export type MadeAgain = () => ChangeMade | undefined

/** Runs an act of the vault in its turn; `again` is asked once it was done. */
export type Turn = <T>(what: string, act: (engine: Engine) => Promise<T>, again?: MadeAgain) => Promise<T>

/** Runs an act that changes rows alone: no table comes or goes, and nobody comes to be behind rows with others. */
export type RowsTurn = <T>(
  what: string,
  act: (engine: Engine, where: () => Promise<WhereRowsAre>) => Promise<T>,
  again?: MadeAgain,
) => Promise<T>

/** Reads much, over a connection of its own: nobody who reads a little waits for it. */
export type ReadApart = <T>(what: string, act: (connection: DuckDBConnection) => Promise<T>) => Promise<T>

/** What is done over a connection of its own, in one transaction that begins outside of any turn. */
export interface Beside<Brought, Became> {
  /** All that takes long. Others change the vault meanwhile, which this does not see. */
  readonly bring: (connection: DuckDBConnection) => Promise<Brought>
  /** In the turn, before the end of the transaction; `engine.writer` sees what was changed meanwhile. */
  readonly settle: (
    on: { readonly engine: Engine; readonly connection: DuckDBConnection },
    brought: Brought,
  ) => Promise<Became>
  /** In the turn, once it is done. */
  readonly note: (became: Became) => void
}

/** Writes much, and has the turn only for its end. One after another, and never while the file is copied to be replaced. */
export type BesideTurn = <Brought, Became>(what: string, steps: Beside<Brought, Became>) => Promise<Became>

/** The ways in which the vault is acted on. */
export interface Turns
  extends Record<'writing' | 'reading' | 'looking' | 'change' | 'aside', Turn>, Pick<Vault, 'changes'> {
  readonly changingRows: RowsTurn
  readonly apart: ReadApart
  readonly beside: BesideTurn
}

/** Acts of one connection run one after another; what the engine says stays inside. */
export function turns(
  engines: EngineInUse,
  { memory, journal }: { memory: VaultMemory; journal: CopyJournal },
): Turns {
  let changes = 0
  const turn: Turn = (what, act, again) =>
    engines.writing.run(async () => {
      changes += 1
      let made: ChangeMade | undefined
      try {
        const value = await guarded(engines.current, what, act)
        made = again?.()
        return value
      } finally {
        changes += 1
        // What failed may have been made.
        journal.note(made)
      }
    })
  const whereRowsAre = new WeakMap<Engine, WhereRowsAre>()
  /** Any change may be of tables, or of who is behind rows, but for those that say they change rows alone. */
  const writing: Turn = (what, act, again) =>
    turn(
      what,
      (engine) => {
        whereRowsAre.delete(engine)
        return act(engine).finally(() => whereRowsAre.delete(engine))
      },
      again,
    )
  const changingRows: RowsTurn = (what, act, again) =>
    turn(
      what,
      (engine) =>
        act(engine, async () => {
          const where = whereRowsAre.get(engine) ?? (await readWhereRowsAre(engine.writer))
          whereRowsAre.set(engine, where)
          return where
        }),
      again,
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
    beside: (what, steps) =>
      engines.besides.run(() =>
        engines.holdCurrent(({ engine }) => writeBeside(what, { engine, writing, steps })),
      ),
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
    change: (what, act, again) =>
      writing(what, (engine) => inTransaction(engine.writer, () => act(engine)), again).finally(() =>
        memory.forgetAll(),
      ),
  }
}

/** The engine is the one in use until the end: nobody replaces it while something is written beside. */
async function writeBeside<Brought, Became>(
  what: string,
  { engine, writing, steps }: { engine: Engine; writing: Turn; steps: Beside<Brought, Became> },
): Promise<Became> {
  const connection = await engine.connectToCopy()
  try {
    const brought = await guarded(engine, what, async () => {
      await connection.run('begin')
      return steps.bring(connection)
    })
    return await writing(what, async () => {
      const became = await steps.settle({ engine, connection }, brought)
      await connection.run('commit')
      steps.note(became)
      return became
    })
  } catch (error) {
    await connection.run('rollback').catch(() => undefined)
    throw error
  } finally {
    connection.closeSync()
  }
}

/** What the engine says stays inside. */
async function guarded<T>(engine: Engine, what: string, act: (engine: Engine) => Promise<T>): Promise<T> {
  try {
    return await act(engine)
  } catch (error) {
    engine.note(error)
    throw vaultFault(error, `Cannot ${what}`)
  }
}
