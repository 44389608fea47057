import type { PerPersonAggregate } from '../bound/bound-query.ts'
import { duckdbDouble, duckdbFinite, postgresDouble, postgresFinite } from '../catalogue/forms.ts'
import type { Text } from '../catalogue/forms.ts'
import { printLiteral, printSpread } from './print.ts'
import type { Printing } from './print.ts'

/** An aggregate over the rows `r` of one person, whose argument is the column `x` of its index and whose filter `f`. */
export function printPerPersonAggregate(
  aggregate: PerPersonAggregate,
  index: number,
  printing: Pick<Printing, 'dialect' | 'parameters'>,
): Text {
  const { function: fn, argument, filter, isDistinct } = aggregate
  const where = filter ? ` filter (where "r"."f${index}")` : ''
  const { double, finite } = FORMS[printing.dialect]
  const value = `"r"."x${index}"`
  switch (fn) {
    case 'count':
      return `count(${isDistinct ? 'distinct ' : ''}${argument ? value : '*'})${where}`
    case 'min':
    case 'max':
    case 'bool_or':
    case 'bool_and':
      return `${fn}(${value})${where}`
    case 'sum':
      return finite(double(`sum(${value})${where}`))
    case 'avg':
      return finite(
        `${finite(double(`sum(${value})${where}`))} / nullif(${double(`count(${value})${where}`)}, 0)`,
      )
    case 'var_samp':
    case 'var_pop':
    case 'stddev_samp':
    case 'stddev_pop':
      return printSpread(fn, (name) => `${name}(${double(value)})${where}`, printing.dialect)
    case 'percentile_cont':
    case 'percentile_disc':
    case 'mode':
      return printOrdered(aggregate, { value, index, dialect: printing.dialect })
    case 'string_agg': {
      const separator = printLiteral({ type: 'text', value: aggregate.separator ?? '' }, printing)
      return `string_agg(distinct ${value}, ${separator} order by ${value})${where}`
    }
  }
}

const FORMS = {
  duckdb: { double: duckdbDouble, finite: duckdbFinite },
  postgres: { double: postgresDouble, finite: postgresFinite },
} as const

interface Ordered {
  readonly value: Text
  readonly index: number
  readonly dialect: Printing['dialect']
}

/** What is chosen by the order of the values. Of values that are as frequent as each other the least is the mode. */
function printOrdered(
  { function: fn, filter, quantileMicro = 0 }: PerPersonAggregate,
  { value, index, dialect }: Ordered,
): Text {
  const where = filter ? ` filter (where "r"."f${index}")` : ''
  const { double, finite } = FORMS[dialect]
  const fraction = double(String(quantileMicro / 1e6))
  if (dialect === 'postgres') {
    if (fn === 'mode') return `mode() within group (order by ${value})${where}`
    if (fn === 'percentile_disc')
      return `percentile_disc(${fraction}) within group (order by ${value})${where}`
    return finite(`percentile_cont(${fraction}) within group (order by ${double(value)})${where}`)
  }
  if (fn === 'mode') return `mode(${value} order by ${value})${where}`
  if (fn === 'percentile_cont')
    return finite(`quantile_cont(${double(value)}, ${quantileMicro / 1e6})${where}`)
  const there = `filter (where ${value} is not null${filter ? ` and "r"."f${index}"` : ''})`
  const place = `cast(greatest(ceil(${fraction} * count(${value})${where}), 1) as bigint)`
  return `list_sort(list(${value}) ${there})[${place}]`
}
