import type { GroupingFunc } from '@pgsql/types'
import { bindValue } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { call, caseOf, literal } from '../expression/build-expression.ts'
import { notSupported } from '../../text/refusal.ts'
import { mapExpression, sameExpression } from '../../bound/same-expression.ts'

/** Most columns that one GROUPING may be of, so that its number stays small. */
const GROUPING_COLUMNS_MAX = 16

/** Binds GROUPING before it is known which sets there are, and says what it is once they are. */
export interface Groupings {
  readonly bind: (this: void, node: GroupingFunc) => Expr
  /** The same expression with every GROUPING written out; `keys` are those of the question, `sets` what each set has of them. */
  readonly resolve: (this: void, expr: Expr, grouped: Grouped) => Expr
}

interface Grouped {
  readonly keys: readonly Expr[]
  readonly sets: readonly (readonly number[])[] | undefined
}

/**
 * GROUPING(a, b) as PostgreSQL has it: a bit for each column, set where the row's set of groups leaves the column out. It follows
 * from the number of the set, so it tells of no person. Null in the remainder, which is of no set.
 */
export function groupingsOf(frame: Frame): Groupings {
  const asked: { readonly args: readonly Expr[]; readonly offset: number | undefined }[] = []
  return {
    bind: ({ args = [], location }) => {
      if (args.length === 0 || args.length > GROUPING_COLUMNS_MAX)
        throw notSupported(`GROUPING of more than ${GROUPING_COLUMNS_MAX} columns`, location)
      asked.push({ args: args.map((arg) => bindValue(arg, frame)), offset: location })
      // No key has such a number: it stands for the GROUPING until the sets are known.
      return { kind: 'key', key: -asked.length, type: 'integer', size: 1 }
    },
    resolve: (expr, grouped) =>
      mapExpression(expr, (part) => {
        const one = part.kind === 'key' && part.key < 0 ? asked[-part.key - 1] : undefined
        return one && writtenOut(one, grouped)
      }),
  }
}

function writtenOut(
  { args, offset }: { readonly args: readonly Expr[]; readonly offset: number | undefined },
  { keys, sets }: Grouped,
): Expr {
  const indexes = args.map((arg) => keys.findIndex((key) => sameExpression(key, arg)))
  if (indexes.includes(-1)) throw notSupported('GROUPING of what stands in no GROUP BY', offset)
  const bitsOf = (set: readonly number[]): number =>
    indexes.reduce((bits, index) => bits * 2 + (set.includes(index) ? 0 : 1), 0)
  if (sets === undefined) return literal('integer', 0)
  const number: Expr = { kind: 'key', key: keys.length, type: 'integer', size: 1 }
  return caseOf(
    sets.map((set, index) => ({
      when: call('eq', [number, literal('integer', index)]),
      value: literal('integer', bitsOf(set)),
    })),
    undefined,
  )
}
