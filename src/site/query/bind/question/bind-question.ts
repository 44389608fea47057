import { LIMITS } from '../../../../kernel/limits.ts'
import type { SelectStmt } from '@pgsql/types'
import type { Manifest } from '../../../../protocol/data-set.ts'
import type { BoundQuery, Expr, Measure, Output, Source } from '../../bound/bound-query.ts'
import { measureSink } from '../aggregate/bind-aggregate.ts'
import { privateMeasureSink } from './bind-private.ts'
import type { Frame } from '../expression/bind-expression.ts'
import {
  bindCount,
  bindGrouping,
  bindHaving,
  bindOrder,
  bindTargets,
  overGroups,
} from '../aggregate/bind-groups.ts'
import type { Grouping, Target } from '../aggregate/bind-groups.ts'
import { literal, requireScalar } from '../expression/build-expression.ts'
import { bindFrom } from '../relation/bind-relation.ts'
import { checkIssuers, frameOf } from '../relation/from-context.ts'
import type { FromContext, NamedQueries } from '../relation/from-context.ts'
import { bindLateral } from './bind-lateral.ts'
import { bindRowsQuestion } from './bind-rows-question.ts'
import { bindSubLink } from './bind-sub-query.ts'
import { insideOf } from '../../bound/derived-column.ts'
import { groupingsOf } from '../aggregate/grouping-function.ts'
import { unitOf } from '../expression/unit-of.ts'
import { bindWith } from '../relation/named-queries.ts'
import { WITH_ALL } from '../relation/person-sets.ts'
import {
  bindOverGroups,
  groupsBehind,
  groupWindows,
  isGrouping,
  withGroupTies,
  withTies,
} from './over-groups.ts'
import type { OverGroups } from './over-groups.ts'
import { GroupsRefusal, atNode, notSupported, tooLarge, wrongColumn } from '../../text/refusal.ts'
import { checkKeptRows, fromWrittenKeys, writtenExtreme } from '../aggregate/written-groups.ts'
import { checkResolution } from '../relation/resolution.ts'
import { textsMade } from '../../bound/made-texts.ts'
import { childrenOf, mapExpression, partsOf, sameExpression } from '../../bound/same-expression.ts'
import type { Binding, Level } from '../expression/scope.ts'

/** Binds a whole question of mode `aggregate`, `private` or `rows`. Throws a `Refusal`. */
export function bindQuestion(select: SelectStmt, binding: Binding): BoundQuery {
  return atNode(select, () => bindSelect(select, binding))
}

function bindSelect(select: SelectStmt, binding: Binding): BoundQuery {
  const known: NamedQueries = new Map()
  const query =
    binding.mode === 'rows'
      ? bindRowsQuestion(select, fromContext({ binding, known }))
      : bindGroupsOf(select, { binding, known })
  // Also of what was joined within sub-queries and sets of people.
  checkIssuers(query, binding)
  const used = withoutUnused(query)
  if (textsMade(used) > LIMITS.queryTextsMadeMax)
    throw tooLarge(
      `The texts that the question makes of a row are together longer than ${LIMITS.queryTextsMadeMax} stored ones; ask for some of them in a question of their own`,
    )
  return used
}

interface Known {
  readonly binding: Binding
  readonly known: NamedQueries
}

/** A question of groups, or one over the groups of another. */
function bindGroupsOf(select: SelectStmt, { binding, known }: Known): BoundQuery {
  const bindOver = (over: OverGroups): BoundQuery => {
    const inner = atNode(over.inner, () => bindGroupsOf(over.inner, { binding, known: over.known }))
    return bindOverGroups(select, inner, { binding, over })
  }
  const behind = isGrouping(select) ? undefined : groupsBehind(select, known)
  if (behind) return bindOver(behind)
  try {
    return bindGroupedQuestion(select, boundFrom(select, { binding, known }))
  } catch (error) {
    // Whether a sub-select is of people is known once its keys are bound.
    const over = error instanceof GroupsRefusal ? groupsBehind(select, known) : undefined
    if (over) return bindOver(over)
    throw error
  }
}

/** Where the sources and conditions of a question gather. */
function fromContext({ binding, known }: Known): FromContext {
  // In mode rows each row is shown.
  const repeated = binding.mode === 'rows' ? {} : { repeated: [] }
  const level: Level = { sources: [], where: [], written: [], ...repeated }
  return { binding, level, question: level, known, bindSubLink, bindLateral }
}

/** FROM and WHERE of a question. */
function boundFrom(select: SelectStmt, { binding, known }: Known): Bound {
  const context = fromContext({ binding, known: bindWith(select.withClause, known) })
  return { binding, level: context.level, frame: frameOf(context, bindFrom(select, context)) }
}

interface Bound {
  readonly binding: Binding
  readonly level: Level
  readonly frame: Frame
}

function bindGroupedQuestion(select: SelectStmt, { binding, level, frame: inner }: Bound): BoundQuery {
  const mode = binding.mode === 'private' ? 'private' : 'aggregate'
  const sink = mode === 'private' ? privateMeasureSink(inner) : measureSink(inner, level.sources)
  const groupings = groupingsOf(inner)
  const { written = [] } = level
  const frame: Frame = {
    ...inner,
    bindAggregate: (node, name) => writtenExtreme(node, name, { inner, written }) ?? sink.bind(node, name),
    bindGrouping: groupings.bind,
  }
  const shown: Frame = { ...frame, bindWindow: groupWindows(select, frame) }
  const targets = bindTargets(select, shown)
  const isDistinct = select.distinctClause !== undefined && !select.groupClause && sink.measures.length === 0
  const grouping: Grouping = isDistinct
    ? { keys: distinctKeys(targets) }
    : bindGrouping(select, targets, inner)
  if (grouping.sets && select.distinctClause)
    throw notSupported('GROUPING SETS, ROLLUP and CUBE with DISTINCT; ask a question for each')
  for (const { expr, offset } of grouping.keys) {
    requireScalar(expr, offset)
    checkKey(expr, offset)
  }
  const keys = grouping.keys.map(({ expr }) => expr)
  checkResolution(grouping.keys, level.sources, binding.dataSets)
  checkDimensions(grouping, level.sources, binding.dataSets)
  checkKeptRows({ keys, sets: grouping.sets }, written)
  const hasSets = grouping.sets !== undefined
  const ofGroups = (expr: Expr, offset: number | undefined): Expr => {
    const known = overGroups(hasSets ? expr : fromWrittenKeys(expr, keys, written), keys, offset)
    return withGroupTies(groupings.resolve(known, { keys, sets: grouping.sets }), { keys, hasSets })
  }
  const having = bindHaving(select, frame)
  const orderBy = bindOrder(select, targets, shown)
    .map(({ offset, ...key }) => ({ ...key, expr: ofGroups(key.expr, offset) }))
    // GROUPING without several sets is a constant.
    .filter(({ expr }) => expr.kind !== 'literal')
  const outputs = targets.map(({ name, expr, offset }): Output => {
    const grouped = ofGroups(expr, offset)
    return { name, expr: grouped, unit: unitOf(grouped, { binding, level, keys, measures: sink.measures }) }
  })
  // Rows of different groups differ in their keys.
  if (
    select.distinctClause &&
    !keys.every((_, key) => outputs.some(({ expr }) => expr.kind === 'key' && expr.key === key))
  )
    throw notSupported('DISTINCT over groups whose keys are not all shown')
  // Different people are counted once, however often they come.
  const [repeated] = level.repeated ?? []
  if (level.repeated?.length && sink.measures.some(({ kind }) => kind !== 'people'))
    throw notSupported(WITH_ALL, repeated)
  if (keys.length === 0 && sink.measures.length === 0)
    throw notSupported(`a question of mode ${mode} without an aggregate or GROUP BY`)
  const query: BoundQuery = {
    mode,
    sources: level.sources,
    where: level.where,
    keys: grouping.sets ? [...keys, literal('integer', 0)] : keys,
    groupingSets: grouping.sets,
    measures: sink.measures,
    outputs,
    having: having && ofGroups(having, undefined),
    orderBy,
    limit: bindCount(select.limitCount, frame),
    offset: bindCount(select.limitOffset, frame),
  }
  return withTies(query, select)
}

/** Different rows are groups of equal ones. */
function distinctKeys(targets: readonly Target[]): readonly Target[] {
  return targets.filter(
    ({ expr }, index) => targets.findIndex((other) => sameExpression(other.expr, expr)) === index,
  )
}

function checkKey(expr: Expr, offset: number | undefined): void {
  const parts = [...partsOf(expr)]
  if (showsPerson(expr))
    throw wrongColumn(
      'A question may not be grouped by the person key; group by it in a sub-select, and count or average what that gives',
      offset,
    )
  if (parts.some(({ kind }) => kind === 'window'))
    throw notSupported('a window function in GROUP BY or beside DISTINCT', offset)
  if (parts.some(({ kind }) => kind === 'measure')) throw notSupported('an aggregate in GROUP BY', offset)
  if (!parts.some(({ kind }) => kind === 'column' || kind === 'person'))
    throw notSupported('a constant in GROUP BY', offset)
}

/** Whether an expression is the person, and not only whether there is one. */
function showsPerson(expr: Expr): boolean {
  if (expr.kind === 'call' && (expr.call === 'is_null' || expr.call === 'is_not_null')) return false
  return expr.kind === 'person' || childrenOf(expr).some(showsPerson)
}

/** The data set that allows least decides how many dimensions there may be. */
function checkDimensions(
  { keys, sets }: Grouping,
  sources: readonly Source[],
  dataSets: ReadonlyMap<string, Manifest>,
): void {
  const most = Math.min(...dataSetsOf(sources).map((name) => dataSets.get(name)?.dimensionsMax ?? 0))
  const count = sets ? Math.max(...sets.map((set) => set.length)) : keys.length
  if (count > most)
    throw wrongColumn(
      `The question is grouped by ${count} dimensions; ${most} are allowed`,
      (keys[most] ?? keys.at(-1))?.offset,
    )
}

/** Names of data sets in the order of their first use. */
export function dataSetsOf(sources: readonly Source[]): readonly BoundDataSet[] {
  const names = sources.flatMap((source): readonly BoundDataSet[] =>
    source.kind === 'data-set' ? [source.dataSet] : dataSetsOf(insideOf(source)),
  )
  return [...new Set(names)]
}

type BoundDataSet = Extract<Source, { kind: 'data-set' }>['dataSet']

/** Measures that nothing shows, filters or orders by any more, and that no other tells of, are not collected. */
export function withoutUnused(query: BoundQuery): BoundQuery {
  const used = new Set<number>()
  const use = (index: number): void => {
    if (used.has(index)) return
    used.add(index)
    const { tells = [], margins = [] } = query.measures[index] ?? {}
    for (const told of [...tells, ...margins]) use(told)
  }
  const having = [query.having, query.qualify].filter((expr) => expr !== undefined)
  for (const root of [...query.outputs, ...query.orderBy].map(({ expr }) => expr).concat(having)) {
    for (const part of partsOf(root)) if (part.kind === 'measure') use(part.measure)
  }
  if (used.size === query.measures.length) return query
  const kept = Array.from(used).toSorted((a, b) => a - b)
  const renumbered = (expr: Expr): Expr =>
    mapExpression(expr, (part) =>
      part.kind === 'measure' ? { ...part, measure: kept.indexOf(part.measure) } : undefined,
    )
  return {
    ...query,
    measures: kept.flatMap((index): readonly Measure[] => {
      const measure = query.measures[index]
      if (measure === undefined) return []
      const { tells, margins } = measure
      const [one = 0, other = 0] = (margins ?? []).map((margin) => kept.indexOf(margin))
      return [
        {
          ...measure,
          tells: tells.map((told) => kept.indexOf(told)),
          margins: margins && [one, other],
        },
      ]
    }),
    outputs: query.outputs.map((output) => ({ ...output, expr: renumbered(output.expr) })),
    orderBy: query.orderBy.map((key) => ({ ...key, expr: renumbered(key.expr) })),
    having: query.having && renumbered(query.having),
    qualify: query.qualify && renumbered(query.qualify),
  }
}
