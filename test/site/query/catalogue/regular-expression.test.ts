import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import {
  readInEitherCase,
  readRegularExpression,
} from '../../../../src/site/query/catalogue/regular-expression.ts'
import { arbitraryPattern } from '../arbitrary-pattern.ts'
import { askEngine } from '../ask-engine.ts'
import { testManifest, twoEngines } from '../two-engines.ts'

const TAKEN: readonly (readonly [pattern: string, read: string])[] = [
  ['^a.c$', '^a.c$'],
  ['(ab|cd)+e?', '(ab|cd)+e?'],
  ['\\d{2,4}', '[0-9]{2,4}'],
  ['[\\w-]x', '[A-Za-z0-9_\\-]x'],
  ['\\S', '[^ \t\n\r\f\v]'],
  ['a{02}', 'a{2}'],
  ['é|ß', 'é|ß'],
]

for (const [pattern, read] of TAKEN) {
  test(`read: ${pattern}`, () => {
    assert.equal(readRegularExpression(pattern), read)
  })
}

const FOLDED: readonly (readonly [pattern: string, read: string | undefined])[] = [
  ['^ab.\\.', '^[aA][bB].\\.'],
  ['[a-fX_]+', '[a-fA-FxX_]+'],
  ['[^q]', '[^qQ]'],
  ['\\w', '[a-zA-Za-zA-Z0-9_]'],
  ['[\\]a]', '[\\]aA]'],
  ['é', undefined],
  ['[ß]', undefined],
  ['1🦆', '1🦆'],
]
for (const [pattern, read] of FOLDED) {
  test(`read in either case: ${pattern}`, () => {
    assert.equal(readInEitherCase(pattern), read)
  })
}

/** Of another meaning on one of the engines, of another syntax, or dear. */
const REFUSED: readonly string[] = [
  '',
  '*a',
  'a**',
  'a+?',
  'a{3}{3}',
  'a{2,1}',
  'a{51}',
  'a{,3}',
  'a{x}',
  '(a',
  'a)',
  '()',
  'a||b',
  '|a',
  '[a',
  '[]',
  '[z-a]',
  '[a-Z]',
  '[é-ü]',
  '[[:alpha:]',
  '[a-\\d]',
  '\\b',
  '\\1',
  '(a)\\1',
  '\\',
  '(?i)a',
  '(?:a)',
  '(?=a)',
  '***=a',
  '^*',
  'a{',
  'a}',
  'a\0b',
  '\\x41',
  '\\u0041',
  '\\pL',
  'a'.repeat(201),
  '((a{50}){50}){50}',
  '('.repeat(11) + 'a' + ')'.repeat(11),
]

for (const pattern of REFUSED) {
  test(`refused: ${pattern.slice(0, 40)}`, () => {
    assert.equal(readRegularExpression(pattern), undefined)
  })
}

const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  'abz',
  'Z',
  '0',
  '42',
  'a_b',
  ' ',
  'a b',
  '\n',
  'a\nb',
  'b\n',
  '\t',
  '\r\n',
  '\v',
  '\u00a0',
  '\u2028',
  'é',
  'e\u0301',
  'É',
  'ß',
  '🦆',
  'a🦆b',
  '٣',
  '.',
  '%',
  "it's",
  'a]b',
  '\\',
  '-',
  'zzzzz',
  'aaaaabbbbb',
]

test('a pattern finds the same on both engines', async () => {
  const engines = await twoEngines()
  after(() => engines[Symbol.asyncDispose]())
  const manifest = testManifest('texts', { columns: [{ name: 'text', type: 'text' }] })
  const dataSets = [{ manifest, rows: TEXTS.map((text, person) => [person, text] as const) }]
  const eligible = TEXTS.map((_, person) => person)
  const relations = {
    duckdb: await engines.duckdb.relations(dataSets, eligible),
    postgres: await engines.postgres.relations(dataSets, eligible),
  }
  let found = 0
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryPattern, { minLength: 10, maxLength: 10 }), async (patterns) => {
      const taken = patterns.filter((pattern) => readRegularExpression(pattern) !== undefined)
      fc.pre(taken.length > 0)
      const outputs = taken.map((_, index) => `text ~ $${index + 1}`)
      const asked = {
        sql: `select ${outputs.join(', ')} from texts`,
        mode: 'rows' as const,
        parameters: taken,
        dataSets,
        eligible,
      }
      const [duckdb, postgres] = [
        await askEngine(engines.duckdb, { ...asked, relations: relations.duckdb }),
        await askEngine(engines.postgres, { ...asked, relations: relations.postgres }),
      ]
      assert.ok(duckdb.ok && postgres.ok, JSON.stringify([taken, duckdb, postgres]))
      const byPerson = ({ rows, people }: typeof duckdb.value) =>
        people.map((person, index) => ({ person, row: rows[index] })).toSorted((a, b) => a.person - b.person)
      assert.deepEqual(byPerson(duckdb.value), byPerson(postgres.value), JSON.stringify(taken))
      found += duckdb.value.rows.flat().filter((cell) => cell === true).length
    }),
    { seed: 20_261_126, numRuns: 60 },
  )
  assert.ok(found > 500, `${found}`)
})
