import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import type { Expr } from '../../../src/site/query/bound/bound-query.ts'
import { partsOf } from '../../../src/site/query/bound/same-expression.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'

const place = { within: ['IE'] }
const terms = {
  title: 'People',
  issuer: 'federation',
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:AcademicResearch'],
  modes: ['aggregate'],
  perimeter: { store: place, process: place, release: place },
  retention: { period: 'P5Y', from: '2026-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 6_000, custodian: 2_000, network: 1_000, subjects: 1_000 },
}
const person = { name: 'person', type: 'text', sensitivity: 'direct_identifier' }
const people = manifestSchema.parse({
  ...terms,
  dataSet: 'people',
  person: { key: 'person', rowsMax: 1 },
  columns: [
    person,
    { name: 'h', type: 'number', bounds: [0.5, 2.5] },
    { name: 'w', type: 'number', bounds: [20, 300] },
    { name: 'goals', type: 'integer', bounds: [0, 50] },
    { name: 'born', type: 'date' },
    { name: 'tense', type: 'boolean' },
  ],
})
const days = manifestSchema.parse({
  ...terms,
  dataSet: 'days',
  person: { key: 'person', rowsMax: 100 },
  columns: [person, { name: 'steps', type: 'number', bounds: [0, 100_000] }, { name: 'day', type: 'date' }],
})
const dataSets = new Map([people, days].map((manifest) => [manifest.dataSet, manifest]))

function reasonFor(text: string): string {
  const checked = checkQuestion(text, { mode: 'aggregate', dataSets })
  return checked.ok ? 'approved' : checked.error.code
}

const quantities = [
  'h',
  '100 * h',
  '-h / 100',
  'h * h',
  'w / (h * h)',
  'w / nullif(h * h, 0)',
  'w / nullif(-h, 0)',
  'goals * w',
  'coalesce(w, 0)',
  'extract(year from born)',
  'tense::int',
  'case when tense then w end',
  'case when tense then w else 0 end',
  'case when tense then 0 else h * w end',
  'case when tense then 1.0 else 0.0 end',
  '2 * case when tense then h end',
]

for (const argument of quantities) {
  test(`avg(${argument}) is an average of a fixed quantity`, () => {
    assert.equal(reasonFor(`select avg(${argument}) from people`), 'approved')
  })
}

/** What a sum of terms is taken apart into: the argument and the filter of each measure that is shown. */
const sums: readonly (readonly [argument: string, ...measures: string[]])[] = [
  ['h + w', 'sum h where w', 'sum w where h'],
  ['h - 1.8', 'sum h', 'count h'],
  ['goals + 1', 'sum goals', 'count goals'],
  [
    '2 * (h - w / 3) + goals',
    'sum h where w and goals',
    'sum w where h and goals',
    'sum goals where h and w',
  ],
  ["h + case when born = '1990-01-01' then 1 else 0 end", 'sum h where case', 'sum case where h'],
]

for (const [argument, ...expected] of sums) {
  test(`sum(${argument}) is a sum of measures, each with people of its own`, () => {
    const checked = checkQuestion(`select sum(${argument}) from people`, { mode: 'aggregate', dataSets })
    assert.ok(checked.ok)
    const nameOf = (expr: Expr | undefined): string => {
      if (expr?.kind === 'column') return expr.column
      if (expr?.kind !== 'call') return expr?.kind ?? ''
      const inner = expr.args.map(nameOf).filter((name) => name !== 'literal' && name !== '')
      return inner.join(expr.call === 'and' ? ' and ' : ' ')
    }
    const { measures, outputs } = checked.value.query
    const shown = [...partsOf(outputs[0]?.expr ?? { kind: 'literal', type: 'integer', value: 1, size: 1 })]
    const found = shown.flatMap((part) => {
      const measure = part.kind === 'measure' ? measures[part.measure] : undefined
      if (measure === undefined) return []
      const where = measure.filter ? ` where ${nameOf(measure.filter)}` : ''
      return [`${measure.kind} ${nameOf(measure.argument).split(' ')[0]}${where}`]
    })
    assert.deepEqual(found, expected)
  })
}

test('a variance does not move with what everybody gets, and of a sum of two it is made of theirs', () => {
  assert.equal(reasonFor('select stddev_samp((h - 1.7) / 0.1), var_pop(1 - goals) from people'), 'approved')
  assertOfQuantities('select stddev_samp(h + w) from people')
})

for (const argument of [...sums.map(([sum]) => sum), 'goals + h * w']) {
  test(`${argument} is no quantity once it was made person by person`, () => {
    for (const made of ['max', 'avg', 'sum'])
      assert.notEqual(
        reasonFor(
          `with t as (select person, ${made}(${argument}) as x from people group by person) select sum(x) from t`,
        ),
        'approved',
      )
    assertOfQuantities(`select sum(h * (${argument})) from people`)
  })
}

/** What conditions decide, and products of sums: taken apart into measures of which each could be asked by itself. */
const decided = [
  '(h - 1.8) * (h - 1.8)',
  'case when tense then goals + 1 end',
  "h * case when born = '1990-01-01' then 2 else 1 end",
  "case when born = '1990-01-01' then w else h end",
  "case when born = '1990-01-01' then 2 * h when tense then h else 0 end",
  "(born = '1990-01-01')::int",
  'coalesce(h, 2)',
  'coalesce(case when tense then h end, w)',
  'nullif(h, 2.03)',
  'nullif(h, 0)',
  'nullif(w, 0) / h',
  'greatest(h, 2.03)',
  'least(h, 2.03)',
  'abs(h - 2.03)',
  'sign(h - 2.03)',
]

/** Calls that a measure's argument is never made of: each would be a condition, or a constant, that no set of people shows. */
const NO_QUANTITY =
  /^(?:add|sub|abs|cast_boolean)_|^(?:least|greatest|nullif|coalesce|sign|floor|round|exp|sqrt)$/

/** Every condition is in a filter, or chooses whom one value counts for, and the guard judges these people; what is summed is a product of columns or a quotient by one. */
function assertOfQuantities(text: string): void {
  const checked = checkQuestion(text, { mode: 'aggregate', dataSets })
  assert.ok(checked.ok, text)
  const { measures } = checked.value.query
  assert.ok(measures.some(({ argument }) => argument) || measures.some(({ filter }) => filter), text)
  for (const part of measures.flatMap(({ argument }) => (argument ? [...partsOf(argument)] : []))) {
    // Whoever gets 0, or nothing, does not count for a sum: one value is a set of people as a filter is.
    if (part.kind === 'case') {
      const others = part.otherwise?.kind === 'literal' ? part.otherwise.value : (part.otherwise ?? null)
      assert.ok(part.whens.length === 1 && (others === 0 || others === null), text)
    }
    if (part.kind === 'call') assert.doesNotMatch(part.call, NO_QUANTITY, text)
  }
}

for (const argument of decided) {
  test(`sum(${argument}) is one of measures that could be asked by themselves, and no quantity made person by person`, () => {
    assertOfQuantities(`select sum(${argument}) from people`)
    assertOfQuantities(`select avg(x) from (select ${argument} as x from people) t`)
    const made = `with t as (select person, max(${argument}) as x from people group by person) select sum(x) from t`
    // Of what is 0 or 1 the sum is a count of those who have 1.
    if (argument.endsWith('::int')) assertOfQuantities(made)
    else assert.equal(reasonFor(made), 'declined.sql_not_supported')
  })
}

const disguises = [
  'w / nullif(h, 2.03)',
  'w / nullif(0, h)',
  'round(h)',
  'floor(h * 100)',
  'mod(goals, 2)',
  'goals / 7',
  'exp(h)',
  'sqrt(h)',
  'h * h * h',
  '1 / (h + 1)',
  'width_bucket(h, 0.5, 2.5, 100)',
  'least(h, 2) / 1e-310',
  'least(h, 2) * 1e140 * 1e140 * 1e140',
]

for (const argument of disguises) {
  test(`sum(${argument}) is refused, plain, in a sub-select and made person by person`, () => {
    const code = reasonFor(`select sum(${argument}) from people`)
    assert.notEqual(code, 'approved')
    assert.notEqual(code, 'declined.sql_syntax')
    assert.notEqual(reasonFor(`select avg(x) from (select ${argument} as x from people) t`), 'approved')
    assert.notEqual(
      reasonFor(
        `with t as (select person, max(${argument}) as x from people group by person) select sum(x) from t`,
      ),
      'approved',
    )
  })
}

const keys = [
  'h + w',
  'h - 1.8',
  'goals + 1',
  "h + case when born = '1990-01-01' then w else 0 end",
  '(h - 1.8) * (h - 1.8)',
]

for (const key of keys) {
  test(`sum(${key}) is refused where it is what a sub-select groups by`, () => {
    for (const made of [
      `select person, ${key} as k from people group by person, ${key}`,
      `select distinct person, ${key} as k from people`,
      `select person, k from (select person, ${key} as k from people) t group by person, k`,
    ])
      assert.equal(reasonFor(`select sum(k) from (${made}) t`), 'declined.sql_not_supported', made)
  })
}

test('what a sub-select groups by is summed where it is one column or product', () => {
  for (const key of ['h', 'h * w', '-goals'])
    assert.equal(
      reasonFor(`select sum(k) from (select person, ${key} as k from people group by person, ${key}) t`),
      'approved',
    )
})

test('no more factors than three, no divisor that a condition chose, no product of which the greatest is taken', () => {
  const greatest =
    'with t as (select person, max(h * w) as x from people group by person) select sum(x) from t'
  const beside = 'select person, lag(steps) over (partition by person, day order by day) as v from days'
  const first =
    'select person, h + w as x, row_number() over (partition by person order by born) as n from people'
  for (const sql of [
    'select sum(h * w * goals * h) from people',
    'select sum(h * w * goals * w) from people',
    "select sum(w / case when born = '1990-01-01' then h end) from people",
    greatest,
    `select avg(v) from (${beside}) t`,
    `select sum(x) from (${first}) t where n = 1`,
  ])
    assert.equal(reasonFor(sql), 'declined.sql_not_supported', sql)
})

test('person by person: what was chosen for some may not be added to what all have', () => {
  const perPerson = (columns: string, outer: string) =>
    reasonFor(`with t as (select person, ${columns} from days group by person) select ${outer} from t`)
  assert.equal(perPerson('sum(steps) as a', 'avg(a)'), 'approved')
  assert.equal(perPerson('max(steps) as a, min(steps) as b', 'avg(a) - avg(b)'), 'approved')
  assert.equal(perPerson('count(*) as a', 'avg(a)'), 'approved')
  assert.equal(perPerson("sum(steps) filter (where day = '2016-04-20') as a", 'sum(a)'), 'approved')
  for (const chosen of [
    "sum(steps) filter (where day = '2016-04-20')",
    "count(*) filter (where day = '2016-04-20')",
    "count(case when day = '2016-04-20' then 1 end)",
  ]) {
    const both = `sum(steps) as a, ${chosen} as b`
    // Each has people of its own, whom the guard judges.
    assert.equal(perPerson(both, 'sum(a + b)'), 'approved')
    for (const apart of ['var_pop(a + b)', 'sum(a * (a + b))'])
      assertOfQuantities(
        `with t as (select person, ${both} from days group by person) select ${apart} from t`,
      )
    const inner = `select person, ${both} from days group by person`
    for (const made of [
      `select person, a + b as c from (${inner}) s group by person, a + b`,
      `select person, max(a + b) as c from (${inner}) s group by person`,
    ])
      assert.notEqual(reasonFor(`select sum(c) from (${made}) t`), 'approved')
  }
  assert.notEqual(perPerson('sum(steps + 1) as a', 'sum(a)'), 'approved')
  assert.notEqual(perPerson('max((steps - 70) * (steps - 70)) as a', 'sum(a)'), 'approved')
})

test('no date that a condition made is summed, however it came about', () => {
  const chosen = "case when tense then born else date '1990-01-01' end"
  for (const made of [
    `(select person, min(${chosen}) as d from people group by person) t`,
    `(select person, min(born) filter (where tense) as d from people group by person) t`,
    `(select person, ${chosen} as d from people group by person, ${chosen}) t`,
    `(select person, d from people left join (select person, ${chosen} as d from people) q using (person)) t`,
    `(select person, lag(${chosen}) over (partition by person order by born) as d from people) t`,
    `(select person, lag(born, 3) over (partition by person order by born) as d from people) t`,
  ])
    assert.equal(
      reasonFor(`select sum(extract(year from d)) from ${made}`),
      'declined.sql_not_supported',
      made,
    )
  assert.equal(
    reasonFor(
      'select avg(extract(year from d)) from (select person, min(born) as d from people group by person) t',
    ),
    'approved',
  )
})

test('a window function is summed only where it is the value beside', () => {
  const over = 'over (partition by person order by day)'
  const summed = (value: string) => reasonFor(`select avg(v) from (select person, ${value} as v from days) t`)
  assert.equal(summed(`lag(steps) ${over}`), 'approved')
  assert.equal(summed(`row_number() ${over}`), 'declined.sql_not_supported')
  assert.equal(summed(`sum(steps) ${over}`), 'declined.column')
  assert.equal(summed(`max(steps) ${over}`), 'declined.sql_not_supported')
  assert.equal(
    summed('lag(steps) over (partition by person order by steps > 7000)'),
    'declined.sql_not_supported',
  )
})

test('counts take any argument, because who is counted is a set', () => {
  assert.equal(reasonFor("select count(case when born = '1990-01-01' then 1 end) from people"), 'approved')
  assert.equal(reasonFor("select count(*) filter (where born = '1990-01-01') from people"), 'approved')
})

test('functions around the result are free', () => {
  assert.equal(reasonFor('select round(avg(h), 2), floor(sum(w) / 7), sqrt(avg(w)) from people'), 'approved')
})
