import type { Json } from '../../kernel/canonical-json.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CheckedQuery, Expr, PerPersonSource, RowsSource, Source } from '../query/bound/bound-query.ts'
import { columnsOfValue, hasManyRows, isOneRowAGroup } from '../query/bind/aggregate/bounded-argument.ts'
import { call } from '../query/bind/expression/build-expression.ts'
import { nullableSources } from '../query/bound/joined-level.ts'
import { partsOf } from '../query/bound/same-expression.ts'
import { setsOfKeys } from '../query/bound/sets-of-keys.ts'
import { isNeverNull, namesOf } from './source-names.ts'
import type { SourceNames } from './source-names.ts'

/**
 * Which rows *within* a person an exact answer is made from, for each data set in which people have several rows.
 *
 * Two answers over the same people that differ by one row of one of them differ by that row. So for one acquirer all
 * exact answers over such a data set have one row shape: the same conditions, groups, filters and nulls, and the same
 * other sources that repeat its rows (`docs/explanation/why-answers-cannot-be-combined.md`). The key is the data set
 * and not the summed value, because values can be written in many ways. Conditions on sources with one row a person
 * choose people, which is the partition's to judge, and so do sub-selects with one row a person whose values nothing
 * sums: `exists` and its kin. Declines with `declined.differencing` when one question already has two shapes.
 */
export function rowShapesOf({ query, manifests }: CheckedQuery): Outcome<ReadonlyMap<string, string>> {
  const shapes = new Map<string, string>()
  const names = namesOf(query.sources)
  const levels = setsOfKeys(query).map((keys) => levelOfQuestion({ ...query, keys }, manifests))
  for (const { dataSet, form } of levels.flatMap((level) => shapesOfLevel({ level, names, manifests }))) {
    const digest = digestOfJson(form)
    if ((shapes.get(dataSet) ?? digest) !== digest) {
      return declined('declined.differencing', {
        detail: `One answer over "${dataSet}" looks at one choice of rows; ask for the others with a per-person sub-query or leave them out`,
        operatorNote: 'row_shape',
      })
    }
    shapes.set(dataSet, digest)
  }
  return ok(shapes)
}

interface Shape {
  readonly dataSet: string
  readonly form: Json
}

/** What is joined in one place, and what is made of its rows: the question itself, or a sub-select within it. */
interface Level extends Pick<PerPersonSource, 'sources' | 'where' | 'keys'> {
  readonly takings: readonly Taking[]
  /** Expressions of which values are made. */
  readonly values: readonly Expr[]
  /** Whether each person has at most one row in each group, so that whatever is chosen there chooses people. */
  readonly isOneRowAGroup: boolean
}

/** What one measure takes of the rows. */
interface Taking {
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  /** Whether rows without a value are told apart by it. */
  readonly tellsNulls: boolean
}

type Manifests = ReadonlyMap<string, Manifest>

function levelOfQuestion(
  { sources, where, keys, measures }: CheckedQuery['query'],
  manifests: Manifests,
): Level {
  const isOneRow = isOneRowAGroup({ sources, keys }, manifests)
  const summed = measures.filter(({ kind }) => kind !== 'count' && kind !== 'people')
  // Where everybody has one row at most, counting rows is counting people.
  const taken = isOneRow ? summed : measures.filter(({ kind }) => kind !== 'people')
  return {
    sources,
    where,
    keys,
    takings: taken.map(({ argument, filter }) => ({ argument, filter, tellsNulls: true })),
    values: summed.flatMap(({ argument }) => (argument ? [argument] : [])),
    isOneRowAGroup: isOneRow,
  }
}

function levelOfSource({ sources, where, keys, aggregates }: PerPersonSource): Level {
  // Rows without a value add nothing to a person's sum, mean or extremes; only a count tells how many there are.
  const takings = aggregates.map(({ function: made, argument, filter, isDistinct }) => ({
    // Of different values there are others than of rows.
    argument: isDistinct && argument ? call('is_not_null', [argument]) : argument,
    filter,
    tellsNulls: made === 'count' || argument?.kind !== 'column',
  }))
  const made = aggregates.flatMap(({ function: name, argument }) =>
    argument && name !== 'count' ? [argument] : [],
  )
  return {
    sources,
    where,
    keys,
    // Groups without an aggregate still tell which rows there are.
    takings: takings.length > 0 ? takings : [{ tellsNulls: true }],
    values: [...made, ...keys],
    isOneRowAGroup: false,
  }
}

function levelOfRows({ sources, where, columns }: RowsSource): Level {
  return {
    sources,
    where,
    keys: [],
    takings: [{ tellsNulls: true }],
    values: columns,
    isOneRowAGroup: false,
  }
}

interface LevelFacts {
  readonly level: Level
  readonly names: SourceNames
  readonly manifests: Manifests
}

/**
 * A source with several rows a person has the shapes of what is inside it, with what this level takes of them; one with
 * a single row those of what is inside it, if a value is made of it and not only a decision.
 */
function shapesOfLevel({ level, names, manifests }: LevelFacts): readonly Shape[] {
  return level.sources.flatMap((source, index) => {
    const isMany = hasManyRows(source, manifests)
    if (!isMany && !level.values.some((value) => isMadeOf(value, index))) return []
    const inside = shapesInside(source, { names: names.inside[index], manifests })
    if (!isMany) return inside
    const choices = level.takings.map((taking) => rowChoice(index, taking, { level, names, manifests }))
    return different(
      inside.flatMap(({ dataSet, form }) => choices.map((choice) => ({ dataSet, form: [form, choice] }))),
    )
  })
}

function isMadeOf(value: Expr, index: number): boolean {
  return columnsOfValue(value).some(({ source }) => source === index)
}

/**
 * Each shape once, as a digest, and no more than two of a data set: two are declined whatever they are. So sub-selects
 * within each other, with several aggregates each, do not multiply.
 */
function different(shapes: readonly Shape[]): readonly Shape[] {
  const found = new Map<string, Set<string>>()
  for (const { dataSet, form } of shapes) {
    const forms = found.get(dataSet) ?? new Set()
    if (forms.size < 2) found.set(dataSet, forms.add(digestOfJson(form)))
  }
  return [...found].flatMap(([dataSet, forms]) => [...forms].map((form) => ({ dataSet, form })))
}

function shapesInside(
  source: Source,
  { names, manifests }: { names: SourceNames | undefined; manifests: Manifests },
): readonly Shape[] {
  switch (source.kind) {
    case 'data-set':
      return hasManyRows(source, manifests) ? [{ dataSet: source.dataSet, form: null }] : []
    case 'outer':
      return []
    case 'per-person':
      return names ? shapesOfLevel({ level: levelOfSource(source), names, manifests }) : []
    case 'rows':
      return names ? shapesOfLevel({ level: levelOfRows(source), names, manifests }) : []
  }
}

/** What one measure takes of a source with several rows a person. */
function rowChoice(
  index: number,
  { argument, filter, tellsNulls }: Taking,
  { level, names, manifests }: LevelFacts,
): Json {
  const { sources, where, keys, isOneRowAGroup: isOneRow } = level
  const reads = (expr: Expr): boolean => readsSource(expr, index, sources)
  const joins = sources.flatMap(({ join }) => join?.on ?? [])
  const chosen = [...(isOneRow ? [] : [...where.map(({ expr }) => expr), ...joins]), ...keys].filter(reads)
  const repeating = sources.flatMap((source, other) =>
    other !== index && hasManyRows(source, manifests) ? [names.rows[other] ?? ''] : [],
  )
  const isChoosing = !isOneRow && filter !== undefined && reads(filter)
  const isLeavingOut =
    !isOneRow &&
    tellsNulls &&
    argument !== undefined &&
    reads(argument) &&
    !isNeverNull(argument, { sources, manifests })
  return [
    sorted(chosen.map(names.formOf)),
    isChoosing ? names.formOf(filter) : null,
    isLeavingOut ? names.formOf(argument) : null,
    repeating.toSorted(),
    // Whether people without a row have one without values.
    ...(nullableSources(sources).has(index) ? ['optional'] : []),
  ]
}

/** Conditions hold together, so their order says nothing. */
function sorted(forms: readonly Json[]): readonly string[] {
  return forms.map((form) => JSON.stringify(form)).toSorted()
}

/**
 * Whether an expression depends on which row of a source there is: itself, by a sub-query about that row, or because a
 * join looks at that row before it leaves another source's columns null.
 */
function readsSource(expr: Expr, index: number, sources: readonly Source[]): boolean {
  for (const part of partsOf(expr)) {
    if (part.kind !== 'column' && part.kind !== 'person') continue
    if (part.source === index) return true
    const source = sources[part.source]
    if (source?.kind === 'per-person' && isAbout(source, index, sources)) return true
    if (nullableSources(sources).has(part.source) && isLookedAt(index, sources)) return true
  }
  return false
}

/** Whether a further condition of a join reads a source. */
function isLookedAt(index: number, sources: readonly Source[]): boolean {
  return sources.some(({ join }) =>
    (join?.on ?? []).some((expr) =>
      [...partsOf(expr)].some(
        (part) => (part.kind === 'column' || part.kind === 'person') && part.source === index,
      ),
    ),
  )
}

function isAbout(source: PerPersonSource, index: number, sources: readonly Source[]): boolean {
  return source.sources.some((inner) => {
    if (inner.kind !== 'outer') return false
    const around = sources[inner.source]
    return inner.source === index || (around?.kind === 'per-person' && isAbout(around, index, sources))
  })
}
