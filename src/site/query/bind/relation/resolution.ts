import { innermost, spokenColumn } from '../../bound/bound-query.ts'
import type { Column, Manifest } from '../../../../protocol/data-set.ts'
import type { Expr, PerPersonSource, RowsSource, Source } from '../../bound/bound-query.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { binOf } from '../expression/bin-width.ts'
import type { Bin, Found } from '../expression/bin-width.ts'
import { cutOf } from '../expression/cut-of.ts'
import type { Cut } from '../expression/cut-of.ts'
import { cutOfProduct, narrowestBetween } from '../expression/cut-of-product.ts'
import type { ProductCut } from '../expression/cut-of-product.ts'
import { definitionOf } from '../../bound/derived-column.ts'
import { nullableSources } from '../../bound/joined-level.ts'
import type { GroupKey } from '../aggregate/bind-groups.ts'
import { DAYS, TIME_UNITS } from '../../catalogue/time-units.ts'
import type { TimeUnit } from '../../catalogue/time-units.ts'
import { fromEdges, narrowestOf } from '../expression/time-edges.ts'
import { atOffset, wrongColumn } from '../../text/refusal.ts'
import { childrenOf, partsOf, sameExpression } from '../../bound/same-expression.ts'

/**
 * Whether a group key is coarse enough: a number, date or time may only be grouped by in bins that are not finer
 * than its `minimumBin` (security model, defaults). What cannot be shown to be coarse is declined.
 *
 * Without a declared least width a whole number may stand as it is, any bin will do for another number, and dates
 * and times are taken in days at the finest.
 *
 * What a sub-select computes is looked at as if it stood in the key: by `floor(k)` of a `k` that is 100 times a height people
 * would else be told apart by the centimetre.
 */
export function checkResolution(
  keys: readonly GroupKey[],
  sources: readonly Source[],
  dataSets: ReadonlyMap<string, Manifest>,
): void {
  const data: Data = {
    sources,
    dataSets,
    behind: new Map(),
    visited: new Map(),
    opened: new Map(),
    present: new Map(),
  }
  const seen: Seen = { bins: [], cuts: [], products: [] }
  for (const { expr, offset } of keys) atOffset(offset, () => visit(expr, { ...data, offset }, seen))
  checkTogether(seen)
}

interface Data {
  /** Where the key stands. */
  readonly offset?: number | undefined
  /** Within a sub-select only columns with a declared least width are looked at: of the others the key itself is. */
  readonly isWithin?: true
  readonly sources: readonly Source[]
  readonly dataSets: ReadonlyMap<string, Manifest>
  /** What is behind columns of sub-selects, found once each: in a chain of them each may name the one before twice. */
  readonly behind: Map<Source, Map<string, Column | undefined>>
  /** Columns of sub-selects whose making was looked at, once each for the same reason. */
  readonly visited: Map<Source, Set<string>>
  /** The same of those that stand in a key as they are. */
  readonly opened: Map<Source, Set<string>>
  /** Sources of a level of which it was looked at who has a row of them, once each. */
  readonly present: Map<readonly Source[], Set<number>>
}

/** What the keys do with numbers and times, all keys together: two coarse bins that are shifted make a fine one. */
interface Seen {
  readonly bins: { readonly bin: Bin; readonly expr: Expr; readonly data: Data }[]
  readonly cuts: { readonly cut: Cut; readonly data: Data }[]
  readonly products: { readonly cut: ProductCut; readonly data: Data }[]
}

function visit(expr: Expr, data: Data, seen: Seen): void {
  const bin = binOf(expr)
  if (bin) {
    seen.bins.push({ bin, expr, data })
    checkBin(bin, data)
    return visitInside(bin.column, data, seen)
  }
  const cut = cutOf(expr)
  if (cut) {
    seen.cuts.push({ cut, data })
    checkCuts(cut, data)
    return visitInside(cut.column, data, seen)
  }
  const product = cutOfProduct(expr)
  if (product) {
    seen.products.push({ cut: product, data })
    checkProduct(product, data)
    for (const { column } of product.factors) visitInside(column, data, seen)
    return
  }
  if (expr.kind === 'column') {
    const made = isCoarse(expr, data) ? undefined : madeOf(expr, data)
    if (made) return visitMade(made, expr.column, seen)
    if (!isCoarse(expr, data)) throw tooFine(expr, leastWidth(columnOf(expr, data), expr))
    return visitInside(expr, data, seen)
  }
  if (expr.kind === 'person') return visitPresence(expr.source, data, seen)
  for (const child of childrenOf(expr)) {
    // Whether there is a value, or how a list is, tells no value; how it was made tells the rest.
    if (child.kind === 'column' && tellsNoValue(expr, child)) visitInside(child, data, seen)
    else visit(child, data, seen)
  }
}

function tellsNoValue(expr: Expr, { type }: Found): boolean {
  if (expr.kind !== 'call') return false
  return OF_NULLS.has(expr.call) || (OF_LISTS.has(expr.call) && type.endsWith('[]'))
}

/** What a column of a sub-select is, where it is an expression over each of its rows. */
interface Made {
  readonly from: PerPersonSource | RowsSource
  readonly expr: Expr
  readonly data: Data
}

function madeOf({ source, column }: Found, data: Data): Made | undefined {
  const found = data.sources[source]
  const from = found && innermost(found)
  if (from?.kind !== 'per-person' && from?.kind !== 'rows') return undefined
  const { expr } = definitionOf(from, column)
  if (expr === undefined || expr.kind === 'window') return undefined
  return { from, expr, data: { ...data, sources: from.sources } }
}

/** As if it stood there itself; once each, for the same reason as what is inside. */
function visitMade({ from, expr, data }: Made, column: string, seen: Seen): void {
  const opened = data.opened.get(from) ?? new Set<string>()
  data.opened.set(from, opened)
  if (opened.has(column)) return
  opened.add(column)
  visit(expr, data, seen)
}

/** What a column of a sub-select is made of, but a column as it is. */
function visitInside({ source, column }: Found, data: Data, seen: Seen): void {
  visitPresence(source, data, seen)
  const found = data.sources[source]
  const from = found && innermost(found)
  if (from?.kind !== 'per-person' && from?.kind !== 'rows') return
  const inner: Data = { ...data, sources: from.sources, isWithin: true }
  const visited = data.visited.get(from) ?? new Set<string>()
  data.visited.set(from, visited)
  if (visited.has(column)) return
  visited.add(column)
  const { expr, aggregate } = definitionOf(from, column)
  const made = expr?.kind === 'window' ? expr.args : [expr, aggregate?.argument, aggregate?.filter]
  for (const part of made) {
    if (part?.kind === 'column') visitInside(part, inner, seen)
    else if (part) visit(part, inner, seen)
  }
}

/**
 * Who has no row of a source has nulls for it, or a count of 0: what an outer join or a sub-query asks of its rows tells people apart as a
 * comparison in the key would. Where all rows have one, conditions choose people, as those of WHERE do.
 */
function visitPresence(index: number, data: Data, seen: Seen): void {
  const source = data.sources[index]
  const present = data.present.get(data.sources) ?? new Set<number>()
  data.present.set(data.sources, present)
  if (source === undefined || source.kind === 'outer' || present.has(index)) return
  present.add(index)
  if (!nullableSources(data.sources).has(index)) return
  const within: Data = { ...data, isWithin: true }
  for (const { join } of data.sources)
    if (join && join.kind !== 'inner') for (const on of join.on) visit(on, within, seen)
  visitConditions(source, within, seen)
}

function visitConditions(source: Source, data: Data, seen: Seen): void {
  if (source.kind !== 'per-person' && source.kind !== 'rows') return
  const inner: Data = { ...data, sources: source.sources }
  for (const { expr } of source.where) visit(expr, inner, seen)
  for (const one of source.sources) {
    for (const on of one.join?.on ?? []) visit(on, inner, seen)
    visitConditions(one, inner, seen)
  }
}

/** Within a sub-select: what has no declared least width. */
function isLeftToKey(column: Found, data: Data): boolean {
  return data.isWithin === true && columnOf(column, data)?.minimumBin === undefined
}

/** Calls that tell of a list without giving one of its values. */
const OF_LISTS: ReadonlySet<CallId> = new Set([
  'list_length',
  'list_length_of_dimension',
  'list_has',
  'lists_overlap',
  'list_has_all',
  'list_is_within',
])

/** Calls that tell whether there are values. */
const OF_NULLS: ReadonlySet<CallId> = new Set(['is_null', 'is_not_null', 'num_nulls', 'num_nonnulls'])

function checkTogether(seen: Seen): void {
  // A number that was made of a time has another least width than the time.
  for (const { cut, data } of eachOnce(
    seen.cuts,
    (one, other) =>
      one.cut.column.type === other.cut.column.type &&
      isSameColumn(placed(one.cut, one.data), placed(other.cut, other.data)),
  )) {
    const own = seen.cuts.filter((other) => isSameColumn(placed(other.cut, other.data), placed(cut, data)))
    const at = [...new Set(own.flatMap((one) => one.cut.at))]
    atOffset(data.offset, () => checkCuts({ column: cut.column, at }, data))
  }
  for (const one of seen.bins) {
    if (typeof one.bin.width === 'string') checkTimes(one, seen)
    else if (isOneOfMore(one, seen)) requireOneWay(placed(one.bin, one.data))
  }
  for (const one of eachOnce(seen.products, (product, other) => isSameProduct(product.cut, other.cut)))
    checkProducts(one, seen)
}

/** The first of those that are the same in one key: they are looked at together, and a CASE may have hundreds of them. */
function eachOnce<T extends { readonly data: Data }>(
  all: readonly T[],
  isSame: (one: T, other: T) => boolean,
): readonly T[] {
  const found: T[] = []
  for (const one of all)
    if (!found.some((other) => other.data === one.data && isSame(one, other))) found.push(one)
  return found
}

/** Whether a column is grouped by in another way than by this bin of it. */
function isOneOfMore({ bin, expr, data }: Seen['bins'][number], { bins, cuts }: Seen): boolean {
  const here = placed(bin, data)
  const isShifted = bins.some(
    (other) =>
      isSameColumn(placed(other.bin, other.data), here) &&
      !(other.data.sources === data.sources && sameExpression(other.expr, expr)),
  )
  return isShifted || cuts.some((other) => isSameColumn(placed(other.cut, other.data), here))
}

/** Refuses a column that is grouped by in several ways, where that could make it finer than it may be. */
function requireOneWay({ column, data }: Placed): void {
  const least = leastWidth(columnOf(column, data), column)
  if (least !== 0 && !(least === 1 && column.type === 'integer'))
    throw wrongColumn(
      `${spokenColumn(column)} may be grouped by in one way only; together these are finer than bins of ${least ?? 'any width'}`,
      data.offset,
    )
}

/** Weeks and months part one another, and so does a comparison within one of them. */
function checkTimes({ bin, data }: Seen['bins'][number], { bins, cuts }: Seen): void {
  const here = placed(bin, data)
  const least = leastWidth(columnOf(bin.column, data), bin.column)
  if (typeof least !== 'string') return
  const units = unitsOfBin(bin)
  const others = bins.filter((other) => isSameColumn(placed(other.bin, other.data), here))
  const narrowest = others
    .flatMap((other) => unitsOfBin(other.bin))
    .flatMap((other) => units.map((unit) => narrowestOf(unit, other)))
  const edges = cuts
    .filter((other) => isSameColumn(placed(other.cut, other.data), here))
    .flatMap(({ cut }) => cut.at.flatMap((at) => units.flatMap((unit) => fromEdges(at, unit))))
  if ([...narrowest, ...edges.filter((days) => days > 0)].some((days) => days < DAYS[least] * (1 - 1e-9)))
    requireOneWay(here)
}

function unitsOfBin({ width, besides = [] }: Bin): readonly TimeUnit[] {
  return typeof width === 'string' ? [width, ...besides] : []
}

/** A product may be compared with more edges elsewhere; its columns may be looked at in no other way. */
function checkProducts({ cut, data }: Seen['products'][number], { bins, cuts, products }: Seen): void {
  const strict = cut.factors.map(({ column }) => column).filter((column) => !isFree(column, data))
  const looksAt = (other: Placed): boolean => strict.some((column) => isSameColumn(other, { column, data }))
  const others = products.filter((other) =>
    other.cut.factors.some(({ column }) => looksAt({ column, data: other.data })),
  )
  const isElsewhere =
    [...bins.map((one) => placed(one.bin, one.data)), ...cuts.map((one) => placed(one.cut, one.data))].some(
      looksAt,
    ) || others.some((other) => !isSameProduct(other.cut, cut) || other.data.sources !== data.sources)
  for (const column of isElsewhere ? strict : []) requireOneWay({ column, data })
  const at = [...new Set(others.flatMap((other) => other.cut.at))]
  atOffset(data.offset, () => checkProduct({ ...cut, at }, data))
}

/** A column and where it stands. */
interface Placed {
  readonly column: Found
  readonly data: Data
}

function placed({ column }: { readonly column: Found }, data: Data): Placed {
  return { column, data }
}

/** Also by two names, or in two sub-selects: a column of a data set is one wherever it comes from. */
function isSameColumn(a: Placed, b: Placed): boolean {
  const [one, other] = [columnOf(a.column, a.data), columnOf(b.column, b.data)]
  if (one !== undefined && one === other) return true
  return (
    a.data.sources === b.data.sources &&
    a.column.source === b.column.source &&
    a.column.column === b.column.column
  )
}

function checkBin({ column, width }: Bin, data: Data): void {
  if (isLeftToKey(column, data)) return
  const declaredColumn = columnOf(column, data)
  const least = leastWidth(declaredColumn, column)
  if (typeof width === 'string') {
    if (typeof least === 'string' && TIME_UNITS.indexOf(width) < TIME_UNITS.indexOf(least))
      throw tooFine(column, least)
    return
  }
  // Rounding of the division that gave the width.
  const narrowest = typeof least === 'string' ? DAYS[least] : (least ?? 0)
  if (width < narrowest * (1 - 1e-9)) throw tooFine(column, least)
}

/** Whether a column is coarse enough as it is. */
function isCoarse(column: Found, data: Data): boolean {
  if (isLeftToKey(column, data)) return true
  const least = leastWidth(columnOf(column, data), column)
  if (column.type === 'integer' && typeof least === 'number' && least <= 1) return true
  if (column.type === 'date' && least === 'day') return true
  // What is taken out of a document is as fine as a text is; a least width is for a column of its own.
  if (column.type === 'text' || column.type === 'boolean' || column.type === 'json') return true
  return column.type === 'text[]' || column.type === 'boolean[]' || column.type === 'integer[]'
}

/** Whether it does not matter how finely a column is told apart. */
function isFree(column: Found, data: Data): boolean {
  return (
    isLeftToKey(column, data) || isCoarse(column, data) || leastWidth(columnOf(column, data), column) === 0
  )
}

function isSameProduct(one: ProductCut, other: ProductCut): boolean {
  const powers = ({ factors }: ProductCut): string =>
    factors
      .map(({ column: { source, column }, power }) => JSON.stringify([source, column, power]))
      .toSorted()
      .join()
  return powers(one) === powers(other)
}

function checkProduct(cut: ProductCut, data: Data): void {
  const at = cut.at.filter((value) => value > 0).toSorted((a, b) => a - b)
  for (const factor of cut.factors) {
    if (isFree(factor.column, data)) continue
    const least = leastWidth(columnOf(factor.column, data), factor.column)
    const width = typeof least === 'number' ? least : Infinity
    for (const [index, high] of at.entries()) {
      const low = at[index - 1]
      if (low !== undefined && narrowestBetween([low, high], cut, factor) < width * (1 - 1e-9))
        throw tooFine(factor.column, least)
    }
  }
}

function tooFine(column: Found, least: number | TimeUnit | undefined): Error {
  return wrongColumn(
    `${spokenColumn(column)} may only be grouped by in bins${least === undefined || least === 0 ? ', such as floor(x / 10)' : ` of at least ${least}`}; count(*) filter (where …) takes any condition`,
  )
}

/** The narrowest bin: what the manifest says, else 1 for whole numbers, any for others, days for dates and times. */
function leastWidth(column: Column | undefined, found: Found): number | TimeUnit | undefined {
  if (column?.minimumBin !== undefined) return column.minimumBin
  if (found.type === 'integer') return 1
  if (found.type === 'number') return 0
  return found.type === 'date' || found.type === 'timestamp' ? 'day' : undefined
}

/** The manifest's column behind a column, through what was computed per person: one with a declared width, if there is any. */
function columnOf({ source, column }: Found, data: Data): Column | undefined {
  const found: Source | undefined = data.sources[source]
  const from = found && innermost(found)
  if (from === undefined || from.kind === 'outer') return undefined
  if (from.kind === 'data-set')
    return data.dataSets.get(from.dataSet)?.columns.find(({ name }) => name === column)
  const known = data.behind.get(from) ?? new Map<string, Column | undefined>()
  data.behind.set(from, known)
  if (!known.has(column)) known.set(column, columnBehind(from, { column, data }))
  return known.get(column)
}

function columnBehind(
  source: PerPersonSource | RowsSource,
  { column, data }: { column: string; data: Data },
): Column | undefined {
  const { sources } = source
  const made = definitionOf(source, column)
  const expr = made.expr ?? made.aggregate?.argument
  const behind = [...(expr ? partsOf(expr) : [])].flatMap((part) =>
    part.kind === 'column' ? [columnOf(part, { ...data, sources })] : [],
  )
  return behind.find((one) => one?.minimumBin !== undefined) ?? behind[0]
}

function checkCuts({ column, at }: Cut, data: Data): void {
  if (isLeftToKey(column, data)) return
  const least = leastWidth(columnOf(column, data), column)
  const width = typeof least === 'number' ? least : least === undefined ? 0 : DAYS[least]
  const positions = at.toSorted((a, b) => a - b)
  for (const [index, position] of positions.entries()) {
    const next = positions[index + 1]
    if (next === undefined) continue
    if (next - position < width * (1 - 1e-9)) throw tooFine(column, least)
  }
}
