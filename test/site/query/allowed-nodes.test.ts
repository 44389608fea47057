import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ALLOWED_NODES } from '../../../src/site/query/allowed-nodes.ts'
import { callsNamed } from '../../../src/site/query/catalogue.ts'
import { DECLINED_FUNCTIONS } from '../../../src/site/query/declined-functions.ts'
import { LISTED } from '../../../src/site/query/refused-nodes.ts'

/** The kinds of nodes that the grammar's own types name. */
function kindsOfGrammar(): readonly string[] {
  const types = readFileSync(
    new URL('../../../node_modules/@pgsql/types/types.d.ts', import.meta.url),
    'utf8',
  )
  const [, union = ''] = /export type Node = ([^;]*;(?:[^;]*\} \| \{[^;]*;)*)/.exec(types) ?? []
  return [...union.matchAll(/(\w+): \w+;/g)].map(([, kind = '']) => kind)
}

test('each kind of node of the grammar stands in one table: allowed, or declined with why', () => {
  const kinds = kindsOfGrammar()
  assert.ok(kinds.length > 250, `${kinds.length}`)
  const listed = [...Object.keys(ALLOWED_NODES), ...LISTED]
  assert.deepEqual(listed.toSorted(), kinds.toSorted())
})

test('no function is both declined by name and on the list of what may be called', () => {
  const names = DECLINED_FUNCTIONS.flatMap((row) => row.names)
  assert.deepEqual(
    names.filter((name) => callsNamed(name).length > 0),
    [],
  )
  assert.equal(new Set(names).size, names.length)
})
