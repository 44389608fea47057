import type { Manifest } from '../../../protocol/data-set.ts'
import { innermost } from '../bound/bound-query.ts'
import type { BoundQuery, Expr, PerPersonSource, RowsSource, Source } from '../bound/bound-query.ts'
import { definitionOf, insideOf } from '../bound/derived-column.ts'
import { partsOf, sameExpression } from '../bound/same-expression.ts'
import { outerReads } from '../plan/print-sources.ts'
import { allOf, onlyWhere, tellsOfCondition, tellsOfKey, tellsOfValue } from './tells.ts'
import { baseColumns, columnsRead, readingsOf, readingsWithin } from './readings.ts'
import type { BaseColumn } from './readings.ts'

/** One place where a question decides: the rows that it decides about, and what tells them apart. */
export interface DecidingLevel {
  readonly sources: readonly Source[]
  /** People whose rows are alike in all of these are alike in everything that is decided there. */
  readonly tells: readonly Expr[]
}

/** Measures that are themselves decided about, over the rows that count. */
export interface DecidedValues {
  readonly counts: readonly Expr[]
  readonly tells: readonly Expr[]
}

/**
 * Everything by which a question tells people apart before it sums: conditions, filters, keys, and what is inside the values
 * that are summed (`docs/explanation/why-answers-cannot-be-combined.md`, *Alike in what was asked*).
 */
export interface Decisions {
  /** Of conditions, keys and filters, level by level. The first is the question's own. */
  readonly levels: readonly DecidingLevel[]
  /** Of the values that are summed. */
  readonly values: DecidedValues
  /** What is decided by, keys of the question among it. */
  readonly decided: readonly BaseColumn[]
  /** Whether it is more than one reading of a column: only then can one of them be looked for by another. */
  readonly isOfSeveral: boolean
  /** What sums are made of. */
  readonly summed: readonly BaseColumn[]
  /** Something decides of which no statement can be made. */
  readonly isOpaque: boolean
}

type Manifests = ReadonlyMap<string, Manifest>

/** What a level decides by; `tells` are of its rows, whatever its conditions say of them. */
interface Deciding {
  readonly where: readonly Expr[]
  readonly others: readonly Expr[]
  readonly keys: readonly Expr[]
}

/** Finds the decisions of a question. */
export function decisionsOf({ sources, where, keys, measures }: BoundQuery, manifests: Manifests): Decisions {
  const conditions = [...where.map(({ expr }) => expr), ...joinConditions(sources)]
  const summing = measures.filter(({ kind }) => kind !== 'count' && kind !== 'people')
  const filters = measures.flatMap(({ filter }) => (filter ? [filter] : []))
  const measured = measures.flatMap(({ argument }) => (argument ? [argument] : []))
  const counted = measures.flatMap(({ kind, argument }) => (kind === 'count' && argument ? [argument] : []))
  // Of a sum there is a count beside it: what that tells is of those who are summed, not of everybody.
  const summedHere = new Set(summing.map(({ argument }) => argument))
  const countedAlone = counted.filter((argument) => !summedHere.has(argument)).flatMap(decidingParts)
  const finder = new LevelFinder(manifests)
  finder.addLevel(sources, { where: conditions, others: filters, keys: [...keys, ...countedAlone] })
  finder.addSources(sources, [...conditions, ...filters, ...keys, ...measured.flatMap(decidingParts)])
  const tells = summing.flatMap(({ argument, filter }) =>
    argument ? tellsOfSummed(argument, sources).map((tell) => onlyWhere(tell, filter)) : [],
  )
  return {
    levels: finder.levels,
    values: { counts: conditions, tells },
    decided: finder.decided,
    isOfSeveral: finder.readings.size > 1 || isMoreThanOne(finder.levels.flatMap((level) => level.tells)),
    summed: summing.flatMap(({ argument }) =>
      (argument ? columnsRead(argument) : []).flatMap((read) => baseColumns(read, sources, manifests)),
    ),
    isOpaque: finder.isOpaque || isTooLarge([...finder.levels.flatMap((level) => level.tells), ...tells]),
  }
}

/** Whether what is told is more than whether one thing holds. */
function isMoreThanOne([first, ...others]: readonly Expr[]): boolean {
  return (
    first !== undefined && (first.type !== 'boolean' || !others.every((one) => sameExpression(one, first)))
  )
}

/** Nodes of a statement, and columns that it groups by. */
const SIZE_MAX = 20_000
const TELLS_MAX = 100

function isTooLarge(tells: readonly Expr[]): boolean {
  return tells.length > TELLS_MAX || tells.reduce((sum, { size }) => sum + size, 0) > SIZE_MAX
}

/** Conditions and choices inside a value. */
function decidingParts(argument: Expr): readonly Expr[] {
  return [...partsOf(argument)].filter(({ kind, type }) => kind === 'case' || type === 'boolean')
}

/** Most values of a factor that each of them is a set of its own. */
const FACTOR_VALUES_MAX = 64

/**
 * What a summed value decides inside. A product with something of few values comes close to a choice by it, and is taken for one
 * unless it is all that is summed.
 */
function tellsOfSummed(argument: Expr, sources: readonly Source[]): readonly Expr[] {
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

function joinConditions(sources: readonly Source[]): readonly Expr[] {
  return sources.flatMap(({ join }) => join?.on ?? [])
}

/** Goes through a question and the sub-selects in it. */
class LevelFinder {
  readonly #manifests: Manifests
  readonly levels: DecidingLevel[] = []
  readonly decided: BaseColumn[] = []
  readonly readings = new Set<string>()
  isOpaque = false

  constructor(manifests: Manifests) {
    this.#manifests = manifests
  }

  addLevel(sources: readonly Source[], { where, others, keys }: Deciding): void {
    const condition = allOf(where)
    const tells = [
      ...(condition ? tellsOfCondition(condition) : []),
      ...others.flatMap((expr) => tellsOfCondition(expr, condition)),
      // A key that reads one column tells by itself who is in which group.
      ...keys.flatMap((key) => tellsOfKey(key, condition)),
    ]
    for (const expr of [...where, ...others, ...keys]) this.#noteReadings(expr, sources)
    if (tells.length > 0) this.levels.push({ sources: this.#withoutAround(sources), tells })
  }

  /** The sub-selects of a level; `deciding` are the expressions of the level that decide. */
  addSources(sources: readonly Source[], deciding: readonly Expr[]): void {
    const columns = deciding.flatMap((expr) =>
      [...partsOf(expr)].flatMap((part) => (part.kind === 'column' ? [part] : [])),
    )
    const aroundOthers = sources.flatMap(outerReads)
    for (const [index, source] of sources.entries()) {
      if (source.kind !== 'per-person' && source.kind !== 'rows') continue
      const used = [...columns, ...aroundOthers].flatMap((part) =>
        part.source === index ? [part.column] : [],
      )
      this.#addSubSelect(source, used)
    }
  }

  #addSubSelect(source: PerPersonSource | RowsSource, used: readonly string[]): void {
    const where = [...source.where.map(({ expr }) => expr), ...joinConditions(source.sources)]
    const made = used.map((column) => definitionOf(source, column))
    const values = made.flatMap(({ expr, aggregate }) =>
      [expr, aggregate?.argument].filter((one) => one !== undefined),
    )
    const filters =
      source.kind === 'rows' ? [] : source.aggregates.flatMap(({ filter }) => (filter ? [filter] : []))
    const own =
      source.kind === 'rows' ? source.columns : source.aggregates.flatMap(({ argument }) => argument ?? [])
    const chosen = own.flatMap(decidingParts)
    const keys = source.kind === 'rows' ? [] : source.keys
    this.addLevel(source.sources, { where, others: filters, keys: [...keys, ...values, ...chosen] })
    this.addSources(source.sources, [...where, ...filters, ...keys, ...values, ...chosen])
  }

  #noteReadings(expr: Expr, sources: readonly Source[]): void {
    for (const reading of readingsWithin(expr)) {
      const [read] = columnsRead(reading)
      const columns = read ? baseColumns(read, sources, this.#manifests) : []
      this.decided.push(...columns)
      for (const { dataSet, column, type } of columns)
        this.readings.add(`${dataSet} ${column} ${isOfParts(type) ? shapeOf(reading) : ''}`)
    }
  }

  /** The row around a correlated sub-query is a source like any other where all rows of the person are looked at. */
  #withoutAround(sources: readonly Source[]): readonly Source[] {
    return sources.map((source, index) => {
      const from = innermost(source)
      if (source.kind === 'outer' && insideOf(from).some(({ kind }) => kind === 'outer')) this.isOpaque = true
      if (source.kind === 'outer') return { ...from, join: undefined }
      const { join } = source
      return index === 0 || join === undefined || join.on.length === 0
        ? source
        : { ...source, join: { ...join, on: [] } }
    })
  }
}

/** Whether parts of a value are values of their own: a day of a date, a member of a document. */
function isOfParts(type: BaseColumn['type']): boolean {
  return type !== 'integer' && type !== 'number' && type !== 'boolean'
}

function shapeOf(reading: Expr): string {
  return JSON.stringify(reading, (name, value: unknown) => (name === 'source' ? undefined : value))
}
