import fc from 'fast-check'
import { PAIR_AGGREGATES } from '../../src/site/query/bind/aggregate/bind-pair.ts'
import { once } from './arbitrary-columns.ts'
import type { Columns, Sql } from './arbitrary-columns.ts'
import { value, call } from './arbitrary-value.ts'

/* What a grouped question counts, sums and groups by. */

/** An aggregate, or what is computed from several. */
export function measure(columns: Columns): Sql {
  return once(columns, 'measure', () => makeMeasure(columns))
}

function makeMeasure(columns: Columns): Sql {
  const quantities = [...columns.integer, ...columns.number]
  const quantity = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...quantities) },
    { weight: 1, arbitrary: value('number', columns, 1) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(value('boolean', columns, 1), fc.constantFrom(...quantities))
        .map(([when, one]) => `case when ${when} then ${one} end`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...quantities),
          fc.constantFrom(...quantities),
          fc.constantFrom('0', '3', '50.5'),
        )
        .chain(([one, other, by]) =>
          fc.constantFrom(
            `least(${one}, ${by})`,
            `greatest(${one} - ${by}, ${other})`,
            `abs(${one} - ${by})`,
            `(${one} > ${by})::int`,
            `sign(${one} - ${other})`,
            `(${one} - ${by}) * (${other} + 1)`,
            `power(${one} - ${by}, 2)`,
            `coalesce(${one}, ${by})`,
            `case when ${one} > ${by} then ${other} when ${other} = 0 then ${by} else 1 end`,
          ),
        ),
    },
  )
  const bare = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('count(*)', 'count(distinct id)') },
    { weight: 5, arbitrary: call(['sum', 'avg', 'stddev', 'variance', 'count'], quantity) },
    { weight: 1, arbitrary: call(Object.keys(PAIR_AGGREGATES), quantity, quantity) },
    {
      weight: 1,
      arbitrary: call(['max', 'min', 'array_agg', 'median', 'bool_or', 'any_value', 'listagg'], quantity),
    },
    { weight: 1, arbitrary: value('text', columns, 1).map((inner) => `count(${inner})`) },
  )
  return fc.oneof(
    { weight: 5, arbitrary: bare },
    {
      weight: 2,
      arbitrary: fc
        .tuple(bare, value('boolean', columns, 1))
        .map(([one, filter]) => `${one} filter (where ${filter})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(bare, fc.constantFrom('+', '-', '*', '/'), bare)
        .map(([one, sign, other]) => `${one} ${sign} ${other}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('sqrt', 'round', 'ln', 'exp'), bare)
        .map(([name, one]) => `${name}(${one})`),
    },
  )
}

/** What is grouped by. */
export function groupKey(columns: Columns): Sql {
  return once(columns, 'key', () => makeGroupKey(columns))
}

function makeGroupKey(columns: Columns): Sql {
  const plain = [...columns.text, ...columns.boolean]
  return fc.oneof(
    ...(plain.length > 0 ? [{ weight: 6, arbitrary: fc.constantFrom(...plain) }] : []),
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...columns.integer, ...columns.number), fc.constantFrom('10', '50', '2'))
        .map(([one, by]) => `floor(${one} / ${by})`),
    },
    {
      weight: 2,
      arbitrary:
        columns.date.length > 0
          ? fc.constantFrom(...columns.date).map((one) => `extract(year from ${one})`)
          : fc.constant('1'),
    },
    { weight: 2, arbitrary: value('boolean', columns, 1) },
    { weight: 1, arbitrary: value('text', columns, 1) },
  )
}
