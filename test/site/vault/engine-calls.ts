import type { TestContext } from 'node:test'
import { DuckDBConnection } from '@duckdb/node-api'

type Run = DuckDBConnection['run']

/** Puts something around every statement that the engine runs, until the end of a test. */
export function aroundStatements(
  t: TestContext,
  around: (text: string, run: () => ReturnType<Run>, on: DuckDBConnection) => ReturnType<Run>,
): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with what it is called on
  const { run } = DuckDBConnection.prototype
  function runAround(this: DuckDBConnection, ...call: Parameters<Run>): ReturnType<Run> {
    return around(call[0], () => run.apply(this, call), this)
  }
  t.mock.method(DuckDBConnection.prototype, 'run', runAround)
}
