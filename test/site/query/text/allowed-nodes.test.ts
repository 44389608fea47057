import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ALLOWED_NODES } from '../../../../src/site/query/text/allowed-nodes.ts'
import { CALL_IDS, callsNamed, catalogueRow } from '../../../../src/site/query/catalogue/catalogue.ts'
import { SAMPLES, termsOf } from '../../../../src/site/query/catalogue-terms.ts'
import { DECLINED_FUNCTIONS } from '../../../../src/site/query/catalogue/declined-functions.ts'
import { LISTED } from '../../../../src/site/query/text/refused-nodes.ts'

/** The kinds of nodes that the grammar's own types name. */
function kindsOfGrammar(): readonly string[] {
  const types = readFileSync(
    new URL('../../../../node_modules/@pgsql/types/types.d.ts', import.meta.url),
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

test('a row that writes an argument more than once says so, because within itself it would grow past all bounds', () => {
  for (const id of CALL_IDS) {
    const { takes, prints = 1, duckdb, postgres } = catalogueRow(id)
    const all = ['{A}', '{B}', '{C}'].slice(
      0,
      takes.filter((parameter) => typeof parameter === 'string').length,
    )
    const constants = takes.flatMap((parameter) =>
      typeof parameter === 'string' ? [] : [SAMPLES[parameter.constant]],
    )
    const [a = '', b = '', c = ''] = all
    const written = [duckdb, postgres].map((form) => form({ a, b, c, all, constants }))
    for (const [place, argument] of all.entries()) {
      // What is written out in the question holds nothing.
      if (takes.filter((parameter) => typeof parameter === 'string')[place] === 'written text') continue
      for (const text of written) assert.ok(text.split(argument).length - 1 <= prints, `${id}: ${text}`)
    }
  }
})

test('each row and node says in which modes it may stand, its bound and its sensitivity', () => {
  for (const id of CALL_IDS)
    for (const text of Object.values(termsOf(id))) assert.ok(String(text).length > 3, id)
})
