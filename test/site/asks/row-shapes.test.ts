import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { rowShapesOf } from '../../../src/site/asks/row-shapes.ts'
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
  person: { key: 'person' },
  columns: [person, { name: 'town', type: 'text' }],
})
const days = manifestSchema.parse({
  ...terms,
  dataSet: 'days',
  person: { key: 'person', rowsMax: 100 },
  columns: [
    person,
    { name: 'day', type: 'date' },
    { name: 'steps', type: 'integer', bounds: [0, 100_000], isRequired: true },
    { name: 'pulse', type: 'integer', bounds: [20, 250] },
    { name: 'sleep', type: 'integer', bounds: [0, 1_440] },
  ],
})
const dataSets = new Map([people, days].map((manifest) => [manifest.dataSet, manifest]))

function shapeOf(text: string): string | undefined {
  const checked = checkQuestion(text, { mode: 'aggregate', dataSets })
  assert.ok(checked.ok, `${text}: ${checked.ok ? '' : checked.error.code}`)
  const shapes = rowShapesOf(checked.value)
  return shapes.ok ? (shapes.value.get('days') ?? 'none') : undefined
}

test('one row a person needs no shape', () => {
  assert.equal(shapeOf("select count(*) from people where town = 'Galway'"), 'none')
})

test('conditions, groups and filters on rows of a person are the shape; conditions on people are not', () => {
  const all = shapeOf('select sum(steps) from days')
  assert.notEqual(all, undefined)
  assert.equal(shapeOf('select count(*), avg(steps) from days'), all)
  assert.equal(shapeOf("select sum(steps) from days join people using (person) where town = 'Galway'"), all)
  assert.notEqual(shapeOf("select sum(steps) from days where day <> '2026-05-01'"), all)
  assert.notEqual(shapeOf("select sum(steps) filter (where day <> '2026-05-01') from days"), all)
  assert.notEqual(shapeOf("select date_trunc('month', day), sum(steps) from days group by 1"), all)
})

test('a value written in another way is no way around the shape', () => {
  const may = shapeOf("select sum(steps) from days where day < '2026-06-01'")
  assert.equal(shapeOf("select sum(steps * 2) from days where day < '2026-06-01'") === may, false)
  assert.notEqual(
    shapeOf('select sum(steps * 2) from days'),
    shapeOf("select sum(steps) from days where day < '2026-06-01'"),
  )
})

test('one question with two choices of rows is refused', () => {
  assert.equal(
    shapeOf("select sum(steps), sum(steps) filter (where day <> '2026-05-01') from days"),
    undefined,
  )
  assert.equal(shapeOf('select count(*), count(pulse) from days'), undefined)
  assert.equal(shapeOf('select avg(pulse), avg(sleep) from days'), undefined)
})

test('person by person, rows without a value add nothing, so several columns may be asked for', () => {
  const perPerson = (columns: string, outer: string) =>
    shapeOf(`with t as (select person, ${columns} from days group by person) select ${outer} from t`)
  const means = perPerson('avg(pulse) as a, avg(sleep) as b, avg(steps) as c', 'avg(a), avg(b), avg(c)')
  assert.notEqual(means, undefined)
  assert.equal(perPerson('max(pulse) as a', 'avg(a)'), means)
  assert.equal(perPerson('count(pulse) as a, count(*) as b', 'sum(a), sum(b)'), undefined)
  const filtered = perPerson(
    "avg(pulse) filter (where day <> '2026-05-01') as a, avg(pulse) as b",
    'avg(a), avg(b)',
  )
  assert.equal(filtered, undefined)
})

test('groups of a person are rows as well: what is taken of them is part of the shape', () => {
  const grouped = (columns: string, outer: string) =>
    shapeOf(`with t as (select person, day, ${columns} from days group by person, day) select ${outer}`)
  const all = grouped('sum(steps) as s, avg(steps) as a, count(*) as n', 'sum(s), avg(a), sum(n) from t')
  assert.notEqual(all, undefined)
  assert.equal(grouped('max(steps) as s', 'avg(s) from t'), all)
  assert.notEqual(grouped('sum(steps) as s', "sum(s) from t where day <> '2026-05-01'"), all)
  assert.notEqual(grouped('sum(steps) as s', "sum(s) filter (where day <> '2026-05-01') from t"), all)
  assert.notEqual(grouped('sum(pulse) as s', 'sum(s) from t'), all)
  assert.notEqual(grouped("sum(steps) filter (where day <> '2026-05-01') as s", 'avg(s) from t'), all)
})

test('a sub-query that only decides chooses people and needs no shape; one whose value is summed has that of its rows', () => {
  const townsfolk = 'select count(*) from people p where'
  assert.equal(shapeOf(`${townsfolk} exists (select 1 from days d where d.person = p.person)`), 'none')
  assert.equal(
    shapeOf(`${townsfolk} (select sum(steps) from days d where d.person = p.person) > 10000`),
    'none',
  )
  assert.equal(shapeOf(`${townsfolk} person not in (select person from days where steps > 9000)`), 'none')
  const summed = (where: string) =>
    shapeOf(`select avg((select sum(steps) from days d where d.person = p.person ${where})) from people p`)
  assert.notEqual(summed(''), 'none')
  assert.notEqual(summed("and day <> '2026-05-01'"), summed(''))
  assert.equal(
    shapeOf(
      "select sum(steps), sum(steps) filter (where exists (select 1 from people p where p.person = d.person and p.town = 'Galway')) from days d",
    ),
    shapeOf('select sum(steps) from days'),
  )
})

test('a sub-query about one row chooses rows', () => {
  const all = shapeOf('select sum(steps) from days')
  const later = (sign: string) =>
    shapeOf(
      `select sum(steps) from days d where exists (select 1 from days e where e.person = d.person and e.day ${sign} d.day)`,
    )
  assert.notEqual(later('>'), all)
  assert.notEqual(later('>'), later('<'))
})

test('an outer join chooses rows where its condition looks at them', () => {
  const joined = (join: string, rest = '') =>
    shapeOf(`select sum(d.steps) from people p ${join} join days d on d.person = p.person ${rest}`)
  assert.notEqual(joined('left'), joined('left', "and d.day > '2026-05-01'"))
  assert.notEqual(joined('left', "and p.town = 'Galway' and d.steps > 5"), joined('left'))
  const byTown = (filter: string) =>
    shapeOf(
      `select sum(d.steps) filter (where ${filter}) from days d left join people p on p.person = d.person and d.steps > 9000`,
    )
  assert.notEqual(byTown('p.town is null'), byTown('p.town is not null'))
  assert.notEqual(byTown('p.person is null'), shapeOf('select sum(steps) from days'))
  const people =
    "select count(*), count(q.person) from people p left join people q on q.person = p.person and q.town = 'Galway'"
  assert.equal(shapeOf(people), 'none')
})

test('a window function chooses rows where a condition looks at it', () => {
  const numbered = (order: string, where: string) =>
    shapeOf(
      `select sum(steps) from (select person, steps, row_number() over (partition by person order by ${order}) as n from days) t where ${where}`,
    )
  assert.notEqual(numbered('day', 'n = 1'), numbered('day', 'n <= 2'))
  assert.notEqual(numbered('day', 'n = 1'), numbered('day desc', 'n = 1'))
  assert.notEqual(numbered('day', 'n = 1'), shapeOf('select sum(steps) from days'))
  assert.equal(
    shapeOf(
      'select sum(steps), sum(steps) filter (where n > 1) from (select person, steps, count(*) over (partition by person) as n from days) t',
    ),
    undefined,
  )
  assert.equal(
    shapeOf(
      'select count(*) from people where person in (select person from (select person, lag(steps) over (partition by person order by day) as before from days) t where before > 9000)',
    ),
    'none',
  )
})

test('sets of groups over rows of a person are several shapes; over people they are none', () => {
  assert.equal(shapeOf('select day, sum(steps) from days group by rollup (day)'), undefined)
  assert.equal(
    shapeOf('select town, sum(steps) from days join people using (person) group by rollup (town)'),
    shapeOf('select sum(steps) from days'),
  )
})

test('where each person has one row in a group, conditions choose people and counts have no shape', () => {
  const firsts =
    'with f as (select person, day, min(steps) as least from days group by person, day) select day,'
  const back =
    'count(*) filter (where exists (select 1 from days d where d.person = f.person and d.day > f.day))'
  assert.equal(shapeOf(`${firsts} count(*), ${back} from f group by day`), 'none')
  const sums = shapeOf(`${firsts} sum(least) from f group by day`)
  assert.equal(
    shapeOf(`${firsts} sum(least), avg(least) filter (where least > 7), ${back} from f group by day`),
    sums,
  )
  assert.notEqual(sums, 'none')
  assert.equal(
    shapeOf(
      `with f as (select person, day, min(steps) as least from days group by person, day) select count(*), ${back} from f`,
    ),
    undefined,
  )
})

test('a data set that is joined to itself is another shape than it alone', () => {
  const alone = shapeOf('select count(*) from days')
  assert.notEqual(shapeOf('select count(*) from days a join days b using (person)'), alone)
  const ordered = shapeOf(
    'select count(*) from days a join days b on a.person = b.person where a.day < b.day',
  )
  assert.notEqual(ordered, undefined)
  assert.notEqual(
    shapeOf('select count(*) from days a join days b on a.person = b.person where a.day > b.day'),
    ordered,
  )
})

test('sub-selects in a long chain take no longer than to read them', () => {
  const links = Array.from(
    { length: 60 },
    (_, link) => `t${link + 1} as (select person, max(a * a) as a from t${link} group by person)`,
  )
  const chain = `with t0 as (select person, max(steps) as a from days group by person), ${links.join(', ')} `
  const shape = shapeOf(
    `${chain} select sum(d.steps) from days d join t60 using (person) where d.steps > t60.a`,
  )
  // The last link chooses among the days; nothing is made of what is in it.
  assert.notEqual(shape, undefined)
  assert.notEqual(shape, shapeOf('select sum(steps) from days'))
  assert.equal(shapeOf(`${chain} select count(*) from t60`), 'none')
})
