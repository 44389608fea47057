import { innermost } from '../bound/bound-query.ts'
import type { Expr, Source } from '../bound/bound-query.ts'
import { definitionOf } from '../bound/derived-column.ts'
import { partsOf } from '../bound/same-expression.ts'
import { columnsRead, readingsOf } from './readings.ts'
import { tellsOfValue } from './tells.ts'

/** Most values of a factor that each of them is a set of its own. */
const FACTOR_VALUES_MAX = 64

/**
 * What a summed value decides inside. A product with something of few values comes close to a choice by it, and is taken for one
 * unless it is all that is summed.
 */
export function tellsOfSummed(argument: Expr, sources: readonly Source[]): readonly Expr[] {
  const chosen = tellsOfValue(argument)
  const readings = readingsOf(argument)
  return readings.length > 1
    ? [...chosen, ...readings.filter((one) => isOfFewValues(one) || isCount(one, sources))]
    : chosen
}

/** What is made of few values has no more. */
function isOfFewValues(reading: Expr): boolean {
  return [...partsOf(reading)].some(
    (part) =>
      part.kind !== 'literal' &&
      (part.type === 'boolean' ||
        (part.type === 'integer' &&
          part.range !== undefined &&
          part.range.greatest - part.range.least < FACTOR_VALUES_MAX)),
  )
}

/** How many rows of somebody counted may be few, whatever the bound says. */
function isCount(reading: Expr, sources: readonly Source[]): boolean {
  return columnsRead(reading).some(({ source: index, column }) => {
    const found = sources[index]
    const source = found && innermost(found)
    if (source?.kind !== 'per-person' && source?.kind !== 'rows') return false
    const { expr, aggregate } = definitionOf(source, column)
    return aggregate?.function === 'count' || (expr !== undefined && isCount(expr, source.sources))
  })
}
