import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileBody, offered, testTrade } from '../../src/testing/test-trade.ts'
import { testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'

/*
 * Two answers over the same people that take other rows of one of them: their difference is that person's. The rows
 * are chosen by what is joined, not by the text of a condition, so that the conditions read the same.
 */

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())

const COUNT = 40
const DAYS = ['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-04']
/** Person 7 alone is unlike the others, in each data set by one row or value. */
const TARGET = 7
const people = Array.from({ length: COUNT }, (_, person) => person)
const day = { name: 'day', type: 'date', isRequired: true } as const

// Their ages and countries.
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(COUNT) })

/** Everybody walked on the same days, the target on one more. */
await fill(
  'days',
  {
    columns: [day, { name: 'steps', type: 'integer', bounds: [0, 1_000], isRequired: true }],
    rowsMax: 10,
  },
  people.flatMap((person) =>
    [...DAYS, ...(person === TARGET ? ['2026-05-09'] : [])].map((on, index) => [
      person,
      on,
      100 + ((person * 7 + index * 13) % 50),
    ]),
  ),
)
for (const [name, targets] of [
  ['joined', '2026-05-02'],
  ['confirmed', '2026-05-03'],
] as const) {
  await fill(
    name,
    { columns: [day], rowsMax: 1 },
    people.map((person) => [person, person === TARGET ? targets : '2026-05-02']),
  )
}
/** One visit each, the target two. */
await fill(
  'visits',
  { columns: [day], rowsMax: 10 },
  people.flatMap((person) =>
    ['2026-05-02', ...(person === TARGET ? ['2026-05-03'] : [])].map((on) => [person, on]),
  ),
)

async function fill(
  dataSet: string,
  { columns, rowsMax }: { columns: WireManifest['columns']; rowsMax: number },
  rows: readonly (readonly (string | number)[])[],
): Promise<void> {
  const site = trade.site()
  const key = { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true } as const
  await site.issuer.describe(
    testManifest(dataSet, { person: { key: 'id', rowsMax }, columns: [key, ...columns] }),
  )
  const lines = rows.map(([person, ...values]) => [`p-${person}`, ...values].join(','))
  const body = fileBody(`${['id', ...columns.map(({ name }) => name)].join(',')}\n${lines.join('\n')}\n`)
  await site.issuer.importFile({ dataSet, batch: 'first', format: 'csv', body })
  await site.issuer.giveGrants(people.map((person) => testGrant(dataSet, `p-${person}`)))
  await offered(trade.network, { site: site.name, dataSet })
}

let asked = 0

/** What a new acquirer is told to each question in turn. */
async function reasonsOf(offer: string, questions: readonly string[]): Promise<readonly unknown[]> {
  asked += 1
  const asker = await trade.addAcquirer(`asker-${asked}`)
  const reasons: unknown[] = []
  for (const text of questions) reasons.push((await asker.ask(text, { offer })).sites[0]?.reason)
  return reasons
}

const refused: readonly [string, readonly [string, string]][] = [
  [
    'the same condition on a column of another data set',
    [
      'select sum(d.steps) from days d join joined j using (id) where d.day <> j.day',
      'select sum(d.steps) from days d join confirmed j using (id) where d.day <> j.day',
    ],
  ],
  [
    'the same condition on another value of a sub-select',
    [
      'with t as (select id, min(day) as day from visits group by id) select sum(d.steps) from days d join t using (id) where d.day <> t.day',
      'with t as (select id, max(day) as day from visits group by id) select sum(d.steps) from days d join t using (id) where d.day <> t.day',
    ],
  ],
  [
    'a condition outside of a sub-select that is grouped by more than the person',
    [
      'with t as (select id, day, sum(steps) as s from days group by id, day) select sum(s) from t',
      "with t as (select id, day, sum(steps) as s from days group by id, day) select sum(s) from t where day <> '2026-05-09'",
    ],
  ],
  [
    'the same where the sub-select shows its groups only',
    [
      'with t as (select id, day from days group by id, day) select count(*) from t',
      "with t as (select id, day from days group by id, day) select count(*) from t where day <> '2026-05-09'",
    ],
  ],
  [
    'rows that another row of the same person chooses',
    [
      'select sum(steps) from days',
      'select sum(d.steps) from days d where exists (select 1 from days e where e.id = d.id and e.day > d.day)',
    ],
  ],
  [
    'rows that a value chooses which a sub-query computes',
    [
      'select sum(d.steps) from days d where d.day <> (select min(day) from visits v where v.id = d.id)',
      'select sum(d.steps) from days d where d.day <> (select max(day) from visits v where v.id = d.id)',
    ],
  ],
  [
    'rows that an outer join keeps and one that it does not',
    [
      'select sum(d.steps) from joined j left join days d using (id)',
      "select sum(d.steps) from joined j left join days d on d.id = j.id and d.day <> '2026-05-09'",
    ],
  ],
  [
    'rows told apart by whether a join found somebody for them',
    [
      'select sum(d.steps) from days d left join joined j on j.id = d.id and d.day < j.day',
      'select sum(d.steps) filter (where j.day is null) from days d left join joined j on j.id = d.id and d.day < j.day',
    ],
  ],
  [
    'a sum of what a sub-query makes of other rows',
    [
      'select sum((select sum(steps) from days d where d.id = j.id)) from joined j',
      "select sum((select sum(steps) from days d where d.id = j.id and d.day <> '2026-05-09')) from joined j",
    ],
  ],
  [
    'rows that are repeated by rows of another data set',
    ['select count(*) from days', 'select count(*) from days join visits using (id)'],
  ],
]

for (const [name, questions] of refused) {
  test(`refused: ${name}`, async () => {
    assert.deepEqual(await reasonsOf('days', questions), ['approved', 'declined.differencing'])
    assert.deepEqual(await reasonsOf('days', questions.toReversed()), ['approved', 'declined.differencing'])
  })
}

test('the same rows are the same shape in whatever order and with whatever people they are joined', async () => {
  const reasons = await reasonsOf('days', [
    "select sum(steps), count(*) from days where day > '2026-05-01' and day < '2026-05-04'",
    "select sum(d.steps) from joined j join days d using (id) where d.day < '2026-05-04' and d.day > '2026-05-01'",
    "select sum(d.steps) from days d join joined j using (id) join confirmed c using (id) where d.day > '2026-05-01' and d.day < '2026-05-04'",
    "select sum(d.steps) from days d join (select id from visits group by id) v using (id) where d.day > '2026-05-01' and d.day < '2026-05-04'",
  ])
  assert.deepEqual(reasons, ['approved', 'approved', 'approved', 'approved'])
})
