import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { VaultStatement } from '../../../src/site/vault/vault.ts'
import { askEngine } from './ask-engine.ts'
import { GOLDEN_CASES, goldenData } from './golden-cases.ts'
import { twoEngines } from './two-engines.ts'
import type { TestEngine } from './two-engines.ts'

/*
 * What the gate makes of a question, word for word, and what comes out of it. A change of either is seen in review.
 * `make golden` writes the files again.
 */

const directory = fileURLToPath(new URL('../../golden/sql', import.meta.url))
const isRewriting = process.env.HEDGEROW_UPDATE_GOLDEN === '1'
const engines = await twoEngines()
after(() => engines[Symbol.asyncDispose]())

for (const { name, ...asked } of GOLDEN_CASES) {
  test(`golden: ${name}`, async () => {
    const [duckdb, postgres] = [await run(engines.duckdb, asked), await run(engines.postgres, asked)]
    assert.deepEqual(postgres.rows, duckdb.rows)
    const text = [
      `-- ${name}`,
      '',
      asked.sql,
      '',
      '-- DuckDB',
      ...duckdb.statements.map(statementText),
      '',
      '-- PostgreSQL',
      ...postgres.statements.map(statementText),
      '',
      '-- rows',
      ...duckdb.rows.map((row) => JSON.stringify(row)),
      '',
    ].join('\n')
    const path = `${directory}/${name}.sql`
    if (isRewriting) {
      mkdirSync(directory, { recursive: true })
      writeFileSync(path, text)
    }
    assert.ok(existsSync(path), 'There is no golden file; write it with "make golden" and read it')
    assert.equal(text, readFileSync(path, 'utf8'))
  })
}

async function run(
  engine: TestEngine,
  asked: Omit<(typeof GOLDEN_CASES)[number], 'name'>,
): Promise<{ rows: readonly (readonly unknown[])[]; statements: readonly VaultStatement[] }> {
  engine.statements.length = 0
  const answer = await askEngine(engine, { ...asked, ...goldenData })
  assert.ok(answer.ok, JSON.stringify(answer))
  return { rows: answer.value.rows, statements: [...engine.statements] }
}

/** Tables are numbered by the test run; here they are not. */
function statementText({ sql, parameters = [] }: VaultStatement): string {
  const plain = sql.replaceAll(/"(ds_[a-z]+|e)_\d+"/g, '"$1"')
  return `${plain};${parameters.length === 0 ? '' : ` -- ${JSON.stringify(parameters.map(({ value }) => value))}`}`
}
