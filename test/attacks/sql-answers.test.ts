import { strict as assert } from 'node:assert'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Bitset } from '../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../src/site/guard/collected-group.ts'
import { partitionAfter } from '../../src/site/guard/differencing.ts'
import { guardAnswer } from '../../src/site/guard/guard-answer.ts'
import { measureValue } from '../../src/site/guard/measure-value.ts'
import { EMPTY_PARTITION } from '../../src/site/guard/partition.ts'
import type { Partition } from '../../src/site/guard/partition.ts'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { planAggregate } from '../../src/site/query/plan/plan-aggregate.ts'
import type { PlanRelation } from '../../src/site/query/plan/plan-context.ts'
import { collectGroups } from '../../src/site/query/run/run-aggregate.ts'
import { range } from '../site/guard/released-history.ts'
import { RowSpace } from '../site/guard/row-space.ts'
import { testManifest, twoEngines } from '../site/query/two-engines.ts'

const k = 20
const PEOPLE = 400
const SPORTS = ['rowing', 'judo', 'cycling', 'sailing', 'boxing']

/** Person 7 is the target: born on a day of their own, with a height and a number of medals that stand out. */
const TARGET = 7
const rows = Array.from({ length: PEOPLE }, (_, person): [number, ...(string | number | null)[]] => [
  person,
  person === TARGET ? '1990-01-01' : `19${70 + (person % 20)}-0${1 + (person % 9)}-15`,
  SPORTS[(person * 7) % SPORTS.length] ?? '',
  person % 2 === 0 ? 'female' : 'male',
  person % 16 === 3 ? null : 1.5 + ((person * 37) % 97) / 100,
  person === TARGET ? 23 : 0,
  18 + ((person * 13) % 60),
])
const manifest = testManifest('athletes', {
  columns: [
    { name: 'born', type: 'date' },
    { name: 'sport', type: 'text' },
    { name: 'sex', type: 'text' },
    { name: 'height', type: 'number', bounds: [1, 3] },
    { name: 'medals', type: 'integer', bounds: [0, 100] },
    { name: 'age', type: 'integer', bounds: [0, 130] },
  ],
})

const engines = await twoEngines()
after(() => engines[Symbol.asyncDispose]())

interface Answer {
  readonly reason: string
  readonly rows: readonly CollectedGroup[]
}

/** One acquirer at a site: the gate, the engine and the guard, without what stands around them. */
class Acquirer {
  #partition: Partition = EMPTY_PARTITION
  #relations: ReadonlyMap<string, PlanRelation> = new Map()
  #eligible: Bitset = range(0, PEOPLE)

  static async make(): Promise<Acquirer> {
    const acquirer = new Acquirer()
    await acquirer.restrictTo(range(0, PEOPLE))
    return acquirer
  }

  /** Only these people allow it from now on. */
  async restrictTo(eligible: Bitset): Promise<void> {
    this.#eligible = eligible
    this.#relations = await engines.duckdb.relations([{ manifest, rows }], [...eligible])
  }

  async ask(text: string): Promise<Answer> {
    const checked = checkQuestion(text, { mode: 'aggregate', dataSets: new Map([['athletes', manifest]]) })
    if (!checked.ok) return { reason: checked.error.code, rows: [] }
    const plan = planAggregate(checked.value, { dialect: 'duckdb', relations: this.#relations })
    const groups = await collectGroups(plan, engines.duckdb.runner, { dominanceBp: 1_000 })
    if (!groups.ok) return { reason: groups.error.code, rows: [] }
    const settings = { minimumGroup: k, dominanceBp: 1_000, groupsMax: 10_000 }
    const partitions = [{ dataSet: 'athletes', partition: this.#partition, eligible: this.#eligible }]
    const guarded = guardAnswer(groups.value, { settings, partitions, rowShapes: new Map() })
    if (!guarded.ok) return { reason: guarded.error.code, rows: [] }
    for (const { plan: cuts } of guarded.value.plans) this.#partition = partitionAfter(cuts)
    const { released, remainder } = guarded.value
    return { reason: 'approved', rows: remainder ? [...released, remainder] : released }
  }
}

/** Questions in order; all but the last are answered. */
const attacks: readonly [string, readonly string[], RegExp][] = [
  [
    'everybody, then everybody but the one born on that day',
    [
      'select sum(height) from athletes where height is not null',
      "select sum(height) from athletes where height is not null and born <> '1990-01-01'",
    ],
    /differencing/,
  ],
  ['the one alone', ["select avg(height) from athletes where born = '1990-01-01'"], /group_too_small/],
  [
    'a filter that leaves one out',
    ["select count(*), sum(age) filter (where born <> '1990-01-01') from athletes"],
    /group_too_small/,
  ],
  [
    'a filter that takes one',
    ["select count(*), count(*) filter (where born = '1990-01-01') from athletes"],
    /group_too_small/,
  ],
  [
    'a case that takes one',
    ["select sum(case when born = '1990-01-01' then height else 0 end) from athletes"],
    /group_too_small/,
  ],
  ['a sum in which all but one give 0', ['select sum(medals) from athletes'], /group_too_small/],
  ['an average in which all but one give 0', ['select avg(medals) from athletes'], /group_too_small/],
  ['a variance in which all but one give 0', ['select variance(medals) from athletes'], /group_too_small/],
  [
    'a covariance to which all but one give 0',
    ['select covar_pop(medals, age) from athletes'],
    /group_too_small/,
  ],
  [
    'a correlation over all but one, beside one over everybody',
    [
      'select corr(height, age) from athletes where height is not null',
      "select regr_slope(age, height) filter (where born <> '1990-01-01') from athletes where height is not null",
    ],
    /differencing|group_too_small/,
  ],
  [
    'a correlation with what only one has',
    ["select corr(age, case when born = '1990-01-01' then height end) from athletes"],
    /group_too_small/,
  ],
  [
    'a condition hidden in a factor',
    ["select covar_pop(age + case when born = '1990-01-01' then 1000 else 0 end, height) from athletes"],
    /sql_not_supported|sql_function|column/,
  ],
  [
    'a threshold in a factor',
    ['select regr_slope(abs(height - 2.03), age) from athletes'],
    /sql_not_supported/,
  ],
  [
    'a count of those who are not null',
    ["select count(nullif(born, '1990-01-01')) from athletes"],
    /group_too_small/,
  ],
  [
    'a condition hidden in a summand',
    ["select sum(age + case when born = '1990-01-01' then 1000 else 0 end) from athletes"],
    /group_too_small/,
  ],
  [
    'the same where the summand is null for all others',
    ["select avg(age + case when born = '1990-01-01' then 1000 end) from athletes"],
    /group_too_small/,
  ],
  [
    'the same in a variance',
    ["select var_pop(age + case when born = '1990-01-01' then 1000 else 0 end) from athletes"],
    /group_too_small/,
  ],
  [
    'a group of one beside everybody',
    ['select sum(age) from athletes', "select born = '1990-01-01', sum(age) from athletes group by 1"],
    /differencing|group_too_small|column/,
  ],
  [
    'two overlapping filters',
    [
      "select sum(age) from athletes where sport = 'judo' or sport = 'rowing'",
      "select sum(age) from athletes where sport = 'judo' or born = '1990-01-01'",
    ],
    /differencing/,
  ],
  [
    'parts, then their union without one',
    [
      "select sum(age) from athletes where sport = 'boxing'",
      "select sum(age) from athletes where sport = 'rowing'",
      "select sum(age) from athletes where sport in ('boxing', 'rowing') and born <> '1990-01-01'",
    ],
    /differencing/,
  ],
  [
    'a sub-select that leaves one out',
    [
      'select sum(age) from athletes',
      "with t as (select id, max(age) as a from athletes where born <> '1990-01-01' group by id) select sum(a) from t",
    ],
    /differencing/,
  ],
  [
    'a threshold that moves by one person',
    [
      'select count(*) from athletes where height > 1.53',
      'select count(*) from athletes where height > 1.54',
    ],
    /differencing/,
  ],
]

for (const [name, questions, last] of attacks) {
  test(`refused: ${name}`, async () => {
    const acquirer = await Acquirer.make()
    for (const [index, text] of questions.entries()) {
      const { reason } = await acquirer.ask(text)
      if (index < questions.length - 1) assert.equal(reason, 'approved', text)
      else assert.match(reason, last, text)
    }
  })
}

test('HAVING cannot choose a single person', async () => {
  const acquirer = await Acquirer.make()
  const answer = await acquirer.ask('select born, count(*) from athletes group by born having count(*) = 1')
  for (const row of answer.rows) assert.ok(row.people.count() >= k)
})

test('an equal question after a withdrawal is refused, and answered again once a minimum group has left', async () => {
  const acquirer = await Acquirer.make()
  const question = 'select sum(age) from athletes'
  assert.equal((await acquirer.ask(question)).reason, 'approved')
  await acquirer.restrictTo(range(1, PEOPLE))
  assert.equal((await acquirer.ask(question)).reason, 'declined.differencing')
  await acquirer.restrictTo(range(k, PEOPLE))
  assert.equal((await acquirer.ask(question)).reason, 'approved')
})

const condition = fc.oneof(
  fc.constantFrom(
    "sport = 'judo'",
    "sport in ('rowing', 'boxing')",
    "sex = 'female'",
    'height is not null',
    'height is null',
    "born <> '1990-01-01'",
    'medals = 0',
  ),
  fc
    .tuple(fc.constantFrom('age', 'height', 'extract(year from born)'), fc.constantFrom('<', '>='), fc.nat(9))
    .map(
      ([column, sign, step]) =>
        `${column} ${sign} ${column === 'age' ? 18 + step * 6 : column === 'height' ? 1.5 + step / 10 : 1970 + step * 2}`,
    ),
)
const where = fc
  .array(condition, { maxLength: 2 })
  .chain((conditions) => fc.constantFrom(conditions.join(' and '), conditions.join(' or ')))
const question = fc
  .record({
    key: fc.constantFrom('', 'sport', 'sex', 'sport, sex'),
    measure: fc.constantFrom(
      'sum(age)',
      'sum(age)',
      'avg(age)',
      "sum(age) filter (where sex = 'male')",
      'sum(case when height > 2 then age end)',
    ),
    where,
  })
  .map(({ key, measure, where: text }) => {
    const keys = key === '' ? '' : `${key}, `
    return `select ${keys}${measure} from athletes${text === '' ? '' : ` where ${text}`}${key === '' ? '' : ` group by ${key}`}`
  })

test('whatever is asked in SQL, values are of the sets that were guarded, and nothing is about fewer than the minimum group', async () => {
  const ages = rows.map((row) => Number(row[6]))
  const told = { approved: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(question, { minLength: 20, maxLength: 40 }), async (questions) => {
      const acquirer = await Acquirer.make()
      const vectors: (readonly number[])[] = []
      for (const text of questions) {
        const { reason, rows: shown } = await acquirer.ask(text)
        told[reason === 'approved' ? 'approved' : 'refused'] += 1
        for (const { people, measures } of shown) {
          vectors.push([...people])
          for (const measure of measures) {
            vectors.push([...measure.people])
            if (measure.kind !== 'sum') continue
            const expected = [...measure.people].reduce((sum, person) => sum + (ages[person] ?? 0), 0)
            if (measure.count > 0) assert.equal(measureValue(measure), expected, text)
          }
        }
      }
      for (const members of new RowSpace(vectors, PEOPLE).classes())
        assert.ok(members.length >= k, `a class of ${members.length}`)
    }),
    { numRuns: 12 },
  )
  assert.ok(told.approved > 30 && told.refused > 30, JSON.stringify(told))
})
