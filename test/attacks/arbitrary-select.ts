import fc from 'fast-check'
import type { Sql } from './arbitrary-columns.ts'
import { fromClauses } from './arbitrary-from.ts'
import type { From } from './arbitrary-from.ts'
import { measure, groupKey } from './arbitrary-measure.ts'
import { value } from './arbitrary-value.ts'

/*
 * Random SELECTs in PostgreSQL's grammar over the data sets of `worlds.ts`: about half of what the gate takes, half of
 * everything else that an attacker would try. They shrink like any arbitrary of fast-check.
 */

/** The question that is asked, and in which mode. */
export interface RandomQuestion {
  readonly sql: string
  readonly mode: 'aggregate' | 'rows'
}

function optional(word: string, clause: Sql, freq: number): Sql {
  return fc
    .option(clause, { nil: undefined, freq })
    .map((sql) => (sql === undefined ? '' : ` ${word} ${sql}`))
}

const TAIL = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' limit 3',
      ' limit 1 offset 1',
      ' order by 1 limit 2',
      ' order by 1 desc',
      ' order by 2 desc nulls last limit 1',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' for update',
      ' fetch first 1 rows with ties',
      ' union select null',
      ' intersect select 1',
      ' except select town from athletes',
    ),
  },
)

function groupedQuestion({ sql: from, columns, withClause = '' }: From): Sql {
  return fc
    .record({
      keys: fc.array(groupKey(columns), { maxLength: 2 }),
      measures: fc.array(measure(columns), { minLength: 1, maxLength: 3 }),
      where: optional('where', value('boolean', columns, 2), 1),
      having: optional(
        'having',
        fc.oneof(
          fc.constantFrom('count(*) > 1', 'count(*) = 1', 'sum(score) > 900000'),
          measure(columns).map((one) => `${one} > 5`),
        ),
        5,
      ),
      sets: fc.oneof(
        { weight: 12, arbitrary: fc.constant('plain') },
        { weight: 1, arbitrary: fc.constantFrom('rollup', 'cube', 'grouping sets') },
      ),
      tail: TAIL,
    })
    .map(({ keys, measures, where, having, sets, tail }) => {
      const list = keys.map((key, index) => `${key} as k${index}`)
      const names = keys.map((_, index) => `${index + 1}`).join(', ')
      const groups = keys.length === 0 ? '' : ` group by ${sets === 'plain' ? names : `${sets} (${names})`}`
      return `${withClause}select ${[...list, ...measures].join(', ')} from ${from}${where}${groups}${having}${tail}`
    })
}

function rowsQuestion({ sql: from, columns, withClause = '' }: From): Sql {
  const types = (['text', 'integer', 'number', 'date', 'timestamp', 'boolean'] as const).filter(
    (type) => columns[type].length > 0,
  )
  const output = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...types).chain((type) => value(type, columns, 2)) },
    { weight: 1, arbitrary: fc.constantFrom('*', 'id', 'count(*)') },
  )
  return fc
    .record({
      distinct: fc.oneof(
        { weight: 10, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('distinct ', 'distinct on (id) ') },
      ),
      outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
      where: optional('where', value('boolean', columns, 3), 1),
      // Rows that are made of each person's own: by what the outputs are, so that most of them may stand.
      made: fc.oneof(
        { weight: 5, arbitrary: fc.constant('') },
        { weight: 2, arbitrary: fc.constantFrom(' group by id', ' group by id having count(*) > 1') },
      ),
      tail: TAIL,
    })
    .map(({ distinct, outputs, where, made, tail }) => {
      const keys =
        made === '' ? '' : made.replace('id', ['id', ...outputs.map((_, index) => index + 1)].join(', '))
      const more = made === '' ? '' : ', count(*), max(score)'
      return `${withClause}select ${distinct}${outputs.join(', ')}${more} from ${from}${where}${keys}${tail}`
    })
}

/** A question of either mode. */
export const arbitrarySelect: fc.Arbitrary<RandomQuestion> = fromClauses().chain((from) =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: groupedQuestion(from).map((sql): RandomQuestion => ({ sql, mode: 'aggregate' })),
    },
    { weight: 1, arbitrary: rowsQuestion(from).map((sql): RandomQuestion => ({ sql, mode: 'rows' })) },
  ),
)
