import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DuckDBInstance } from '@duckdb/node-api'
import { checkStatement } from '../../../src/site/vault/check-statement.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const MEBIBYTE = 1024 * 1024

test('a statement that was looked at is remembered without its text, which may be long', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const textOf = (index: number) => `select '${String.fromCharCode(97 + index).repeat(2 * MEBIBYTE)}'`
  await checkStatement(connection, textOf(25))
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < 20; index += 1) await checkStatement(connection, textOf(index))
  collectGarbage()
  const keptBytes = process.memoryUsage().heapUsed - before
  assert.ok(keptBytes < 10 * MEBIBYTE, `${keptBytes} bytes`)
  connection.closeSync()
  instance.closeSync()
})
