import type { Json } from '../../kernel/canonical-json.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CheckedQuery, Expr, Measure, PerPersonSource, Source } from '../query/bound-query.ts'
import { hasManyRows } from '../query/bounded-argument.ts'
import { partsOf } from '../query/same-expression.ts'
import { isNeverNull, namesOf } from './source-names.ts'
import type { SourceNames } from './source-names.ts'

/**
 * Which rows *within* a person an exact answer is made from, for each data set in which people have several rows.
 *
 * Two answers over the same people that differ by one row of one of them differ by that row. So for one acquirer all
 * exact answers over such a data set have one row shape: the same conditions, groups, filters and nulls, and the same
 * other sources that repeat its rows (`docs/explanation/why-answers-cannot-be-combined.md`). The key is the data set
 * and not the summed value, because values can be written in many ways. Conditions on sources with one row a person
 * choose people, which is the partition's to judge. Declines with `declined.differencing` when one question already
 * has two shapes.
 */
export function rowShapesOf({ query, manifests }: CheckedQuery): Outcome<ReadonlyMap<string, string>> {
  const shapes = new Map<string, string>()
  for (const { dataSet, form } of shapesOfLevel(query, { names: namesOf(query.sources), manifests })) {
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
  readonly measures: readonly Pick<Measure, 'kind' | 'argument' | 'filter'>[]
}

type Manifests = ReadonlyMap<string, Manifest>

/** A source with one row a person has the shapes of what is inside it; one with several adds what this level takes of them. */
function shapesOfLevel(level: Level, { names, manifests }: Omit<LevelFacts, 'level'>): readonly Shape[] {
  return level.sources.flatMap((source, index) => {
    const isMany = hasManyRows(source, manifests)
    const inside = shapesInside(source, { names: names.inside[index], manifests })
    if (!isMany) return inside
    const choices = level.measures
      .filter(({ kind }) => kind !== 'people')
      .map((measure) => rowChoice(index, measure, { level, names, manifests }))
    return inside.flatMap(({ dataSet, form }) => choices.map((choice) => ({ dataSet, form: [form, choice] })))
  })
}

function shapesInside(
  source: Source,
  { names, manifests }: { names: SourceNames | undefined; manifests: Manifests },
): readonly Shape[] {
  if (source.kind === 'per-person') return names ? shapesOfLevel(levelOf(source), { names, manifests }) : []
  return hasManyRows(source, manifests) ? [{ dataSet: source.dataSet, form: null }] : []
}

function levelOf({ aggregates, ...rest }: PerPersonSource): Level {
  // Rows without a value add nothing to a person's sum, mean or extremes; only a count tells how many there are.
  const measures = aggregates.map(({ function: made, argument, filter }) => ({
    kind: 'count' as const,
    argument: made === 'count' || argument?.kind !== 'column' ? argument : undefined,
    filter,
  }))
  // Groups without an aggregate still tell which rows there are.
  return { ...rest, measures: measures.length > 0 ? measures : [{ kind: 'count' }] }
}

interface LevelFacts {
  readonly level: Level
  readonly names: SourceNames
  readonly manifests: Manifests
}

/** What one measure takes of a source with several rows a person. */
function rowChoice(
  index: number,
  { argument, filter }: Level['measures'][number],
  { level, names, manifests }: LevelFacts,
): Json {
  const chosen = [...level.where.map(({ expr }) => expr), ...level.keys].filter((expr) =>
    readsSource(expr, index),
  )
  const isOfSource = argument !== undefined && readsSource(argument, index)
  const repeating = level.sources.flatMap((source, other) =>
    other !== index && hasManyRows(source, manifests) ? [names.rows[other] ?? ''] : [],
  )
  return [
    sorted(chosen.map(names.formOf)),
    filter && readsSource(filter, index) ? names.formOf(filter) : null,
    isOfSource && !isNeverNull(argument, { sources: level.sources, manifests })
      ? names.formOf(argument)
      : null,
    repeating.toSorted(),
  ]
}

/** Conditions hold together, so their order says nothing. */
function sorted(forms: readonly Json[]): readonly string[] {
  return forms.map((form) => JSON.stringify(form)).toSorted()
}

function readsSource(expr: Expr, index: number): boolean {
  for (const part of partsOf(expr))
    if ((part.kind === 'column' || part.kind === 'person') && part.source === index) return true
  return false
}
