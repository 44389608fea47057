import type { Expr } from '../../bound/bound-query.ts'
import { sourcesOf } from '../../bound/joined-level.ts'
import { mapExpression } from '../../bound/same-expression.ts'
import { findColumn } from './scope.ts'
import type { Level, Scope } from './scope.ts'

/** What a name in a correlated sub-query means when it is none of its own: a column of the row around it. */
export interface OuterNames {
  /** The expression of the level around; `undefined` when the name is one of `scope`. Throws when it is nobody's. */
  look(
    this: void,
    names: readonly string[],
    scope: Scope,
    offset: number | undefined,
  ): Exclude<Expr, { kind: 'measure' }> | undefined
  /** The same expression within the sub-query: its columns are those of `outer` sources. */
  take(this: void, expr: Expr): Expr
}

/** Where the names around a sub-query stand. */
interface Around {
  readonly scope: Scope
  readonly outer?: OuterNames | undefined
}

/** The names around a sub-query whose own sources go into `level`; `sources` are those of the level around it. */
export function outerNames(level: Level, sources: Level['sources'], around: Around): OuterNames {
  const sourceOf = (index: number): number => {
    const known = level.sources.findIndex((source) => source.kind === 'outer' && source.source === index)
    const of = sources[index]
    if (known >= 0 || of === undefined) return known
    return level.sources.push({ kind: 'outer', source: index, of }) - 1
  }
  return {
    look: (names, scope, offset) => {
      if (isKnown(scope, names)) return undefined
      const further = around.outer?.look(names, around.scope, offset)
      const found =
        further && around.outer ? around.outer.take(further) : findNamed(around.scope, names, offset)
      return found.kind === 'measure' ? undefined : found
    },
    take: (expr) =>
      mapExpression(expr, (part) => {
        if (part.kind === 'person') {
          const [source = 0, ...orElse] = sourcesOf(part).map(sourceOf)
          return { kind: 'person', type: 'person', size: 1, source, ...(orElse.length > 0 ? { orElse } : {}) }
        }
        return part.kind === 'column' ? { ...part, source: sourceOf(part.source) } : undefined
      }),
  }
}

/**
 * What a name in a LATERAL sub-query means when it is none of its own: a column of what stands before it, in the same level,
 * or of what is `around` that.
 */
export function besideNames(beside: Scope, around?: OuterNames): OuterNames {
  return {
    look: (names, scope, offset) => {
      if (isKnown(scope, names)) return undefined
      const further = around?.look(names, beside, offset)
      const found = further && around ? around.take(further) : findNamed(beside, names, offset)
      return found.kind === 'measure' ? undefined : found
    },
    take: (expr) => expr,
  }
}

function findNamed(scope: Scope, names: readonly string[], offset: number | undefined): Expr {
  const [first = '', second] = names
  return findColumn(scope, second === undefined ? { name: first } : { relation: first, name: second }, offset)
}

/** Whether a name is one of a scope. */
export function isKnown(scope: Scope, [first = '', second]: readonly string[]): boolean {
  return scope.some(
    ({ name, columns }) =>
      name === first || (second === undefined && columns.some((column) => column.name === first)),
  )
}
