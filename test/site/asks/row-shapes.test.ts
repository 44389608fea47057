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
  assert.equal(shape, undefined)
  assert.notEqual(shapeOf(`${chain} select count(*) from t60`), undefined)
})
