import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import {
  isReplacement,
  readFound,
  readSearched,
} from '../../../../src/site/query/catalogue/searched-expression.ts'
import { arbitrarySearched } from '../arbitrary-pattern.ts'
import { askEngine } from '../ask-engine.ts'
import { testManifest, twoEngines } from '../two-engines.ts'

const TAKEN: readonly (readonly [pattern: string, least: number, groups: readonly number[]])[] = [
  ['\\s+', 1, []],
  ['^ *a{2,5}$', 2, []],
  ['(\\d{4})-(\\d{2})', 7, [4, 2]],
  ['a(b*)c', 2, [0]],
  ['[({|]a\\(', 3, []],
]
for (const [pattern, least, groups] of TAKEN) {
  test(`searched for: ${pattern}`, () => {
    const searched = readSearched(pattern)
    assert.deepEqual([searched?.least, searched?.groups], [least, groups])
  })
}

/** What the engines find by these is not the same, or finds nothing at all. */
const REFUSED = [
  'a|ab',
  '(a|ab)(c|bcd)',
  'a?(ab)?',
  '(ab)+',
  '((a)b)',
  'a*',
  '^$',
  'a^b',
  'a$b',
  'x*y?',
  '(a',
  'a+?',
]
for (const pattern of REFUSED) {
  test(`not searched for: ${pattern}`, () => {
    assert.equal(readSearched(pattern), undefined)
  })
}

test('what is put in is never longer than what it stands for', () => {
  const dates = readSearched('(\\d{4})-(\\d{2})') ?? assert.fail()
  for (const taken of ['', '.', '\\2', '\\2.\\1', 'sevenxx']) assert.ok(isReplacement(taken, dates), taken)
  for (const refused of ['eightxxx', '\\1\\1', '\\3', '\\0', '\\&', '\\\\', '\\', '\\2..\\1', 'éééé'])
    assert.ok(!isReplacement(refused, dates), refused)
  assert.equal(readFound('a+b'), '(a+b)')
  assert.equal(readFound('(a+)b'), '(a+)b')
})

const TEXTS = [
  '',
  'a',
  'ab',
  'aab',
  'abab',
  'ba z',
  'zzzzz',
  'aaaaabbbbb',
  '  a  b  ',
  'a\nb\na',
  '2020-02-29, 2021-03-01',
  'Hé🦆é🦆',
  'e\u0301e\u0301',
  '-a-b-.\\%',
  'AB aB Zz',
  '\u00a0 \u2028',
  "it's 42% of a_b]",
]

/** Each takes a text and a pattern that stands in `$n`. */
const CALLS = [
  (pattern: string) => `regexp_replace(text, ${pattern}, '')`,
  (pattern: string) => `regexp_replace(text, ${pattern}, '', 'g')`,
  (pattern: string) => `regexp_replace(text, ${pattern}, '&', 'g')`,
  (pattern: string) => `regexp_substr(text, ${pattern})`,
  (pattern: string) => `substring(text from ${pattern})`,
  (pattern: string) => `regexp_count(text, ${pattern})`,
]

test('a pattern finds and replaces the same parts on both engines', async () => {
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
    fc.asyncProperty(fc.array(arbitrarySearched, { minLength: 8, maxLength: 8 }), async (patterns) => {
      const taken = patterns.filter((pattern) => readSearched(pattern) !== undefined)
      fc.pre(taken.length > 0)
      const groups = taken.flatMap((pattern, index) =>
        readSearched(pattern)?.groups.length === 1 ? [`regexp_replace(text, $${index + 1}, '\\1', 'g')`] : [],
      )
      const outputs = taken.flatMap((_, index) => CALLS.map((call) => call(`$${index + 1}`)))
      const asked = {
        sql: `select ${[...outputs, ...groups].join(', ')} from texts`,
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
      found += duckdb.value.rows.flat().filter((cell) => typeof cell === 'number' && cell > 0).length
    }),
    { seed: 20_261_127, numRuns: 30 },
  )
  assert.ok(found > 150, `${found}`)
})
