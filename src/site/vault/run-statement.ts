import { StatementType } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBDataChunk, DuckDBPreparedStatement } from '@duckdb/node-api'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { checkStatement } from './check-statement.ts'
import { convertResult } from './convert-result.ts'
import { isInterrupted, isOutOfMemory, vaultFault } from './vault-fault.ts'
import type { RunLimits, VaultParameter, VaultResult, VaultStatement } from './vault.ts'

/**
 * Runs one permitted statement on a connection of its own, in a read-only transaction that is always rolled back;
 * `tidy` is given the end of that, which the result does not wait for, and `note` what the engine failed with. The promises are those of `Vault.run`.
 */
export async function runStatement(
  connection: DuckDBConnection,
  {
    statement,
    limits,
    clock,
    tidy,
    note,
  }: {
    statement: VaultStatement
    limits: RunLimits
    clock: Clock
    tidy: (tidying: Promise<void>) => void
    note: (error: unknown) => void
  },
): Promise<Outcome<VaultResult>> {
  const ended = new AbortController()
  let isLate = false
  const watch = clock.sleep(limits.timeoutMs, ended.signal).then(() => {
    if (ended.signal.aborted) return
    isLate = true
    connection.interrupt()
  })
  try {
    return await runReadOnly(connection, { statement, rowsMax: limits.rowsMax, tidy })
  } catch (error) {
    if (isLate && isInterrupted(error)) return declined('declined.timeout')
    if (isOutOfMemory(error)) {
      return declined('declined.too_large', { operatorNote: 'The engine reached its memory limit' })
    }
    note(error)
    throw vaultFault(error, 'Cannot run a statement in the vault')
  } finally {
    ended.abort()
    await watch
  }
}

async function runReadOnly(
  connection: DuckDBConnection,
  {
    statement,
    rowsMax,
    tidy,
  }: { statement: VaultStatement; rowsMax: number; tidy: (tidying: Promise<void>) => void },
): Promise<Outcome<VaultResult>> {
  const beginning = connection.run('begin transaction read only')
  // Waited for below; until then a failure must not count as one that nobody looks at.
  beginning.catch(() => undefined)
  try {
    // It is printed when it is read: meanwhile the engine begins.
    const { sql } = statement
    await beginning
    await checkStatement(connection, sql)
    const prepared = await prepareSelect(connection, sql)
    try {
      bindParameters(prepared, statement.parameters ?? [])
      return await readResult(prepared, rowsMax)
    } finally {
      prepared.destroySync()
    }
  } finally {
    tidy(
      beginning
        .then(() => connection.run('rollback'))
        .then(
          () => undefined,
          () => undefined,
        ),
    )
  }
}

/**
 * One statement, or the engine refuses to prepare it, and the engine itself says that it is a SELECT. A plan is not kept
 * for the next run: it is made for the rows that there are, and over others it gives wrong answers (docs/decisions/0017).
 */
async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const prepared = await connection.prepare(sql)
  if (prepared.statementType === StatementType.SELECT) return prepared
  prepared.destroySync()
  throw notPermitted('it is not a SELECT')
}

function bindParameters(prepared: DuckDBPreparedStatement, parameters: readonly VaultParameter[]): void {
  if (prepared.parameterCount !== parameters.length) throw notPermitted('it has another number of parameters')
  for (const [index, { type, value }] of parameters.entries()) {
    const position = index + 1
    if (value === null) prepared.bindNull(position)
    else if (type === 'integer') prepared.bindBigInt(position, BigInt(value))
    else if (type === 'number') prepared.bindDouble(position, Number(value))
    else if (type === 'boolean') prepared.bindBoolean(position, value === true)
    // Dates and timestamps are texts that the engine reads, so that no second reading of them can differ.
    else prepared.bindVarchar(position, String(value))
  }
}

async function readResult(prepared: DuckDBPreparedStatement, rowsMax: number): Promise<Outcome<VaultResult>> {
  const result = await prepared.stream()
  const chunks: DuckDBDataChunk[] = []
  let rows = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) break
    rows += chunk.rowCount
    if (rows > rowsMax) return declined('declined.too_large', { operatorNote: `More than ${rowsMax} rows` })
    chunks.push(chunk)
  }
  const columns = result
    .columnNames()
    .map((name, index) => ({ name, type: result.columnType(index).toString() }))
  return ok(convertResult(columns, chunks))
}

function notPermitted(why: string): Fault {
  return new Fault('fault.internal', { what: `Cannot run a statement in the vault: ${why}` })
}
