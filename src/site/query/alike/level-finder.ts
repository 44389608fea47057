import { LIST_TYPES } from '../../../protocol/data-set.ts'
import type { Manifest } from '../../../protocol/data-set.ts'
import { innermost } from '../bound/bound-query.ts'
import type { ColumnRef, Expr, PerPersonSource, RowsSource, Source } from '../bound/bound-query.ts'
import { definitionOf, insideOf } from '../bound/derived-column.ts'
import { mapExpression, partsOf } from '../bound/same-expression.ts'
import { isPlain } from '../check-quantities.ts'
import { outerReads } from '../plan/print-sources.ts'
import { isInOrder } from './in-order.ts'
import { baseColumns, columnsRead, readingsWithin, rowsCounted } from './readings.ts'
import type { BaseColumn } from './readings.ts'
import { allOf, tellsOfCondition, tellsOfKey } from './tells.ts'

/** One place where a question decides: the rows that it decides about, and what tells them apart. */
export interface DecidingLevel {
  readonly sources: readonly Source[]
  /** People whose rows are alike in all of these are alike in everything that is decided there. */
  readonly tells: readonly Expr[]
}

/** What a level decides by; `tells` are of its rows, whatever its conditions say of them. */
interface Deciding {
  readonly where: readonly Expr[]
  readonly others: readonly Expr[]
  readonly keys: readonly Expr[]
}

/** Goes through a question and the sub-selects in it. */
export class LevelFinder {
  readonly #manifests: ReadonlyMap<string, Manifest>
  readonly levels: DecidingLevel[] = []
  readonly decided: BaseColumn[] = []
  /** Lists of which pieces decide: a list is several things, and they may be as many as it has items. */
  readonly pieces: BaseColumn[] = []
  isOpaque = false

  constructor(manifests: ReadonlyMap<string, Manifest>) {
    this.#manifests = manifests
  }

  addLevel(sources: readonly Source[], deciding: Deciding): void {
    const [where = [], others = [], keys = []] = [deciding.where, deciding.others, deciding.keys].map(
      (exprs) => exprs.map((expr) => withStored(expr, sources)),
    )
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
    // Whoever chooses rows here chooses by how many there are.
    if (where.length + filters.length + chosen.length > 0)
      this.decided.push(...rowsCounted(source.sources, this.#manifests))
    this.addLevel(source.sources, { where, others: filters, keys: [...keys, ...values, ...chosen] })
    this.addSources(source.sources, [...where, ...filters, ...keys, ...values, ...chosen])
  }

  #noteReadings(expr: Expr, sources: readonly Source[]): void {
    for (const reading of readingsWithin(expr)) {
      const [read] = columnsRead(reading)
      const columns = read ? baseColumns(read, sources, this.#manifests) : []
      this.decided.push(...columns)
      if (!isInOrder(reading) || isListType(reading.type))
        this.pieces.push(...columns.filter(({ type }) => isListType(type)))
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

/** The same with columns of sub-selects that are what is stored: of these it is known where they have a value. */
function withStored(expr: Expr, sources: readonly Source[]): Expr {
  if (expr.kind === 'window') return expr
  return mapExpression(expr, (part) => {
    if (part.kind !== 'column' || !part.isDerived || !isStoredOrCount(part, sources)) return undefined
    const { kind, source, column, type, size, range } = part
    return { kind, source, column, type, size, range }
  })
}

function isStoredOrCount(column: ColumnRef, sources: readonly Source[]): boolean {
  const found = sources[column.source]
  const source = found && innermost(found)
  if (source?.kind === 'per-person' && definitionOf(source, column.column).aggregate?.function === 'count')
    return true
  return isPlain(column, sources)
}

function isListType(type: Expr['type']): boolean {
  return LIST_TYPES.some((one) => one === type)
}

/** Conditions and choices inside a value. */
export function decidingParts(argument: Expr): readonly Expr[] {
  return [...partsOf(argument)].filter(({ kind, type }) => kind === 'case' || type === 'boolean')
}

/** Further conditions of joins. */
export function joinConditions(sources: readonly Source[]): readonly Expr[] {
  return sources.flatMap(({ join }) => join?.on ?? [])
}
