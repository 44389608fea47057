import { LIMITS } from '../../../../kernel/limits.ts'
import { COLUMN_TYPES, elementType, isScalarType, LIST_TYPES } from '../../../../protocol/data-set.ts'
import type { ListType, ScalarType } from '../../../../protocol/data-set.ts'
import type { Call, Case, ColumnRef, Expr, Literal, LiteralValue } from '../../bound/bound-query.ts'
import type { ExprType, Range } from '../../catalogue/expression-type.ts'
import { callsNamed, catalogueRow } from '../../catalogue/catalogue.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { CONSTANTS, storedTexts } from '../../catalogue/catalogue-row.ts'
import type { CatalogueRow, Parameter } from '../../catalogue/catalogue-row.ts'
import { whyDeclined } from '../../catalogue/declined-functions.ts'
import { readLiteral } from '../../bound/literals.ts'
import { hull, range } from '../../catalogue/ranges.ts'
import { notAllowed, notSupported, spoken, tooLarge } from '../../text/refusal.ts'
import { readInEitherCase, readRegularExpression } from '../../catalogue/regular-expression.ts'
import { isReplacement, readFound, readSearched } from '../../catalogue/searched-expression.ts'

/** A text or null that is written without a type and takes the one of its place, as in PostgreSQL. */
export interface Untyped {
  readonly kind: 'untyped'
  readonly value: string | null
}

export type Term = Expr | Untyped

/** Where a call stands and how it was written, for declines. */
export interface Place {
  readonly offset: number | undefined
  readonly name: string
}

/** A value written in the question. */
export function literal(type: ExprType, value: LiteralValue): Literal {
  return {
    kind: 'literal',
    type,
    value,
    size: sizeOfValue(value),
    ...copiesOfWritten(type, value),
    range: typeof value === 'number' ? range(value, value) : undefined,
  }
}

function sizeOfValue(value: LiteralValue): number {
  return typeof value === 'string' ? 1 + Math.floor(value.length / LIMITS.queryTextBytesPerNode) : 1
}

/** What is written may be far longer than what is stored. By itself it is made once, not of each row. */
function copiesOfWritten(type: ExprType, value: LiteralValue): { readonly copies?: number } {
  const copies = type === 'text' && typeof value === 'string' ? storedTexts(Buffer.byteLength(value)) : 1
  return copies > 1 ? { copies } : {}
}

/** Gives a term a type: an untyped one is read, `integer` becomes `number` and `date` `timestamp` where asked. */
export function coerce(term: Term, type: ExprType, place: Place): Expr {
  const coerced = tryCoerce(term, type)
  if (coerced === undefined)
    throw notAllowed(`${describeTerm(term)} as ${type} in ${spoken(place.name)}`, place.offset)
  return coerced
}

function tryCoerce(term: Term, type: ExprType): Expr | undefined {
  if (term.kind === 'untyped') {
    if (term.value === null) return literal(type, null)
    if (!isScalarType(type) && type !== 'interval') return undefined
    const value = readLiteral(term.value, type)
    return value === undefined ? undefined : literal(type, value)
  }
  if (term.type === type) return term
  if (term.type === 'integer' && type === 'number') return wholeAsNumber(term)
  if (term.type === 'date' && type === 'timestamp') return dateAsTimestamp(term)
  return undefined
}

function wholeAsNumber(expr: Expr): Expr {
  if (expr.kind === 'literal') return literal('number', expr.value === null ? null : Number(expr.value))
  return call('cast_integer_number', [expr])
}

function dateAsTimestamp(expr: Expr): Expr {
  if (expr.kind === 'literal')
    return literal('timestamp', typeof expr.value === 'string' ? `${expr.value} 00:00:00` : null)
  return call('cast_date_timestamp', [expr])
}

/**
 * The one type that terms can share, of single values: equal ones, or the wider of `integer` and `number`, `date` and
 * `timestamp`.
 */
export function commonType(terms: readonly Term[]): ScalarType | undefined {
  let common: ExprType | undefined
  for (const term of terms) {
    if (term.kind === 'untyped') continue
    common = common === undefined ? term.type : widerType(common, term.type)
    if (common === undefined) return undefined
  }
  const type = common ?? 'text'
  return isScalarType(type) ? type : undefined
}

function widerType(a: ExprType, b: ExprType): ExprType | undefined {
  if (a === b) return a
  const pair = new Set<ExprType>([a, b])
  if (pair.has('integer') && pair.has('number')) return 'number'
  if (pair.has('date') && pair.has('timestamp')) return 'timestamp'
  return undefined
}

/** A row of the catalogue with arguments that fit it. */
export function call(id: CallId, args: readonly Expr[], constants: readonly (string | number)[] = []): Call {
  const row = catalogueRow(id)
  const type = givenType(row, args)
  return {
    ...grown(type, row.copies?.(args.map(copiesOf), constants) ?? longest(args)),
    kind: 'call',
    call: id,
    args,
    constants,
    type,
    size: sizeOf(args, row.prints),
    range: row.range?.(
      args.map((arg) => arg.range),
      constants,
      type,
    ),
  }
}

function givenType({ gives }: CatalogueRow, [first]: readonly Expr[]): ExprType {
  if (gives === 'any') return first?.type ?? 'text'
  return gives === 'item' ? (elementType(first?.type ?? '') ?? 'text') : gives
}

/** `case when … then … else … end` over results of one type. */
export function caseOf(
  whens: readonly { readonly when: Expr; readonly value: Expr }[],
  otherwise: Expr | undefined,
): Case {
  const results = whens.map(({ value }) => value).concat(otherwise ? [otherwise] : [])
  const ranges = results
    .filter((result) => !(result.kind === 'literal' && result.value === null))
    .map((result): Range | undefined => result.range)
  const type = results[0]?.type ?? 'text'
  return {
    ...grown(type, longest(results)),
    kind: 'case',
    whens,
    otherwise,
    type,
    size: sizeOf([...results, ...whens.map(({ when }) => when)]),
    range: hull(ranges),
  }
}

/** What a sub-select or sub-query made, as a column of it: all that is known of it stays known. */
export function derivedColumn(
  source: number,
  column: string,
  { type, range, copies, isSpan }: Pick<Expr, 'type' | 'range' | 'copies' | 'isSpan'>,
): ColumnRef {
  return { kind: 'column', source, column, isDerived: true, type, size: 1, range, copies, isSpan }
}

function copiesOf({ copies = 1 }: Expr): number {
  return copies
}

function longest(exprs: readonly Expr[]): number {
  return Math.max(1, ...exprs.map(copiesOf))
}

/** What a text may have grown to. A chain of sub-selects in which each doubles one would else be past all memory. */
function grown(type: ExprType, copies: number): { readonly copies?: number } {
  if (type !== 'text' || copies <= 1) return {}
  if (copies > LIMITS.queryTextCopiesMax)
    throw tooLarge(`A text may become longer than ${LIMITS.queryTextCopiesMax} stored ones`)
  return { copies }
}

function sizeOf(parts: readonly Expr[], prints = 1): number {
  const size = parts.reduce((total, part) => total + part.size * prints, 1)
  if (size > LIMITS.queryExpressionSizeMax)
    throw tooLarge(`An expression has more than ${LIMITS.queryExpressionSizeMax} parts`)
  return size
}

/** What to write instead, by the name and the types that it was given. */
const NUMBER_AS_TEXT = "; write the number as a text first, as in to_char(x, 'FM990.0')"
const ADVICE: Readonly<Partial<Record<string, string>>> = {
  '|| number, a text': NUMBER_AS_TEXT,
  '|| a text, number': NUMBER_AS_TEXT,
  '|| number, text': NUMBER_AS_TEXT,
  '|| text, number': NUMBER_AS_TEXT,
}

interface Match {
  readonly id: CallId
  readonly args: readonly Expr[]
  readonly constants: readonly (string | number)[]
  /** Arguments that had to be widened. */
  readonly cost: number
}

/** Finds the row of the catalogue that a name means for these arguments; throws `declined.sql_function` when there is none. */
export function resolveCall(terms: readonly Term[], place: Place): Call {
  let best: Match | undefined
  for (const id of callsNamed(place.name)) {
    const match = matchRow(id, terms)
    if (match && (best === undefined || match.cost < best.cost)) best = match
  }
  if (best) return call(best.id, best.args, best.constants)
  const given = terms.map(describeTerm).join(', ')
  throw notAllowed(
    callsNamed(place.name).length === 0
      ? `${spoken(place.name)}${whyDeclined(place.name)}`
      : `${spoken(place.name)} of (${given})${ADVICE[`${place.name} ${given}`] ?? expectedConstants(place.name, terms)}`,
    place.offset,
  )
}

function matchRow(id: CallId, terms: readonly Term[]): Match | undefined {
  const row = catalogueRow(id)
  if (row.isVariadic ? terms.length < row.takes.length : terms.length !== row.takes.length) return undefined
  const places = terms.map((_, index) => row.takes[Math.min(index, row.takes.length - 1)])
  const types = {
    any: commonType(terms.filter((_, index) => places[index] === 'any')),
    list: listType(terms.filter((_, index) => places[index] === 'list')),
  }
  const args: Expr[] = []
  const constants: (string | number)[] = []
  let cost = 0
  for (const [index, term] of terms.entries()) {
    const parameter = places[index]
    if (parameter === undefined) return undefined
    const constant =
      typeof parameter === 'object' ? CONSTANTS[parameter.constant].accept(plainValue(term)) : undefined
    if (typeof parameter === 'object') {
      if (constant === undefined) return undefined
      constants.push(constant)
      continue
    }
    const arg = fitArgument(term, parameter, types)
    if (arg === undefined) return undefined
    if (term.kind !== 'untyped' && arg !== term) cost += 1
    args.push(arg)
  }
  return edgesAreInOrder(row, constants) && isNoLonger(row, args) ? { id, args, constants, cost } : undefined
}

function fitArgument(
  term: Term,
  parameter: Exclude<Parameter, object>,
  { any, list }: { readonly any: ScalarType | undefined; readonly list: ListType | undefined },
): Expr | undefined {
  if (parameter === 'any') return any && tryCoerce(term, any)
  if (parameter === 'anything') return term.kind === 'untyped' ? tryCoerce(term, 'text') : term
  if (parameter === 'list') return list && tryCoerce(term, list)
  if (parameter === 'item') return list && tryCoerce(term, elementType(list) ?? 'text')
  if (parameter === 'pattern') return fitPattern(term)
  if (parameter === 'regular expression') return fitRegularExpression(term, readRegularExpression)
  if (parameter === 'folded expression') return fitRegularExpression(term, readInEitherCase)
  if (parameter === 'searched expression')
    return fitWrittenPattern(term, (pattern) => readSearched(pattern)?.text)
  if (parameter === 'folded searched expression')
    return fitWrittenPattern(term, (pattern) => readSearched(pattern, readInEitherCase)?.text)
  if (parameter === 'found expression') return fitWrittenPattern(term, readFound)
  if (parameter === 'replacement') return fitWrittenPattern(term, (text) => text)
  if (parameter === 'written text') return fitWritten(term, 1)
  if (parameter === 'shorter text') return fitWritten(term, 0)
  if (parameter === 'stride') return fitStride(term)
  const written = WRITTEN[parameter]
  if (written) return fitWrittenAs(term, written)
  return isType(parameter) ? tryCoerce(term, parameter) : undefined
}

function isType(parameter: string): parameter is ExprType {
  return parameter === 'interval' || parameter === 'person' || COLUMN_TYPES.some((type) => type === parameter)
}

/** The one type of lists in all places that take one. */
function listType([first, ...others]: readonly Term[]): ListType | undefined {
  const list = first && first.kind !== 'untyped' ? LIST_TYPES.find((type) => type === first.type) : undefined
  return others.every((term) => term.kind !== 'untyped' && term.type === list) ? list : undefined
}

/** Texts of JSON documents that are written out. A step of digits is a number of a list, or a name, as the document has it. */
const WRITTEN: Readonly<Partial<Record<Exclude<Parameter, object>, RegExp>>> = {
  'member name': /^(?!(0|[1-9]\d*)$)[^\0]*$/s,
  'member name of digits': /^(0|[1-9]\d{0,8})$/,
  'path step': /^((0|[1-9]\d{0,8})|(?!\s*[-+]?\d+$)[^\0]*)$/s,
  'json value': /^("[^\0]*"|-?\d[-+.e\d]*|true|false|null)$/s,
}

function fitWrittenAs(term: Term, form: RegExp): Expr | undefined {
  const written = fitWritten(term, 0)
  return written?.kind === 'literal' && typeof written.value === 'string' && form.test(written.value)
    ? written
    : undefined
}

/** A text that is written out. */
function fitWritten(term: Term, least: number): Expr | undefined {
  const written = tryCoerce(term, 'text')
  if (written?.kind !== 'literal') return undefined
  const { value } = written
  return value === null || (typeof value === 'string' && value.length >= least) ? written : undefined
}

const SECOND_MICROSECONDS = 1_000_000
const DAY_SECONDS = 86_400
const STRIDE_DAYS_MAX = 36_525

/** A span of at least a second and at most a hundred years, without months, which are not all as long. */
function fitStride(term: Term): Expr | undefined {
  const span = tryCoerce(term, 'interval')
  if (span?.kind !== 'literal' || typeof span.value !== 'object' || span.value === null) return undefined
  const { months, days, microseconds } = span.value
  const seconds = Number(days) * DAY_SECONDS + Number(microseconds) / SECOND_MICROSECONDS
  const isStride = Number(months) === 0 && seconds >= 1 && seconds <= STRIDE_DAYS_MAX * DAY_SECONDS
  return isStride ? span : undefined
}

/** A replacement that is longer could let a text grow past all bounds, again and again. */
function isNoLonger(row: CatalogueRow, args: readonly Expr[]): boolean {
  if (row.takes.includes('replacement')) return isReplacementOf(args)
  const at = row.takes.indexOf('shorter text')
  if (at < 0) return true
  const [from = 0, to = 0] = [args[at - 1], args[at]].map((arg) =>
    arg?.kind === 'literal' && typeof arg.value === 'string' ? Buffer.byteLength(arg.value) : 0,
  )
  return to <= from
}

function isReplacementOf([, pattern, replacement]: readonly Expr[]): boolean {
  const searched = readSearched(textOf(pattern) ?? '')
  const text = textOf(replacement)
  return searched !== undefined && text !== undefined && isReplacement(text, searched)
}

function textOf(expr: Expr | undefined): string | undefined {
  return expr?.kind === 'literal' && typeof expr.value === 'string' ? expr.value : undefined
}

const PATTERN_PERCENTS_MAX = 4

/** A pattern is written out, and its last backslash escapes something: engines fail on others, and only where a row meets them. */
function fitPattern(term: Term): Expr | undefined {
  const pattern = tryCoerce(term, 'text')
  if (pattern?.kind !== 'literal') return undefined
  if (pattern.value === null) return pattern
  if (typeof pattern.value !== 'string' || !/^(?:[^\\]|\\.)*$/su.test(pattern.value)) return undefined
  // Each % may try every place of a text again: many of them would make time tell about values.
  return pattern.value.split('%').length - 1 <= PATTERN_PERCENTS_MAX ? pattern : undefined
}

/** The same, but no null. */
function fitWrittenPattern(term: Term, read: (pattern: string) => string | undefined): Expr | undefined {
  const pattern = fitRegularExpression(term, read)
  return pattern?.kind === 'literal' && pattern.value !== null ? pattern : undefined
}

function fitRegularExpression(term: Term, read: (pattern: string) => string | undefined): Expr | undefined {
  const written = tryCoerce(term, 'text')
  if (written?.kind !== 'literal') return undefined
  if (typeof written.value !== 'string') return written
  const pattern = read(written.value)
  return pattern === undefined ? undefined : literal('text', pattern)
}

/** Edges of buckets rise: the engines do not agree on falling ones. */
function edgesAreInOrder({ takes }: CatalogueRow, constants: readonly (string | number)[]): boolean {
  const edges = takes
    .filter((parameter) => typeof parameter === 'object')
    .flatMap((parameter, index) => (parameter.constant === 'edge' ? [Number(constants[index])] : []))
  const [low = 0, high = 1] = edges
  return low < high
}

/** The value of a literal, for places that take constants. */
function plainValue(term: Term): string | number | boolean | null {
  if (term.kind === 'untyped') return term.value
  return term.kind === 'literal' && typeof term.value !== 'object' ? term.value : null
}

/** Of the rows that take what was given, if there are any, for another constant. */
function expectedConstants(name: string, terms: readonly Term[]): string {
  const ids = callsNamed(name)
  const near = ids.filter((id) =>
    terms.every((term, index) => {
      const parameter = catalogueRow(id).takes[index]
      return typeof parameter !== 'string' || !isType(parameter) || tryCoerce(term, parameter) !== undefined
    }),
  )
  const kinds = (near.length === 0 ? ids : near).flatMap((id) =>
    catalogueRow(id).takes.flatMap((parameter) =>
      typeof parameter === 'object' ? [parameter.constant] : isPatternKind(parameter) ? [parameter] : [],
    ),
  )
  const texts = kinds.map((kind) =>
    isPatternKind(kind) ? EXPECTED_PATTERNS[kind] : `${kind}: ${CONSTANTS[kind].expected}`,
  )
  return texts.length === 0 ? '' : `; expected ${[...new Set(texts)].join('; ')}`
}

const REGULAR = 'the pattern written out, of letters, ., […], ^, $, ( | ), *, +, ? and {m,n}'
const SEARCHED =
  'a pattern written out that matches something, of letters, ., […], *, +, ?, {m,n}, groups that come once, ^ before and $ behind all of it, and no alternatives'

/** How places that take a pattern are said. */
const EXPECTED_PATTERNS = {
  pattern: 'the pattern written out, with at most 4 %',
  'regular expression': REGULAR,
  'folded expression': REGULAR,
  'searched expression': SEARCHED,
  'folded searched expression': SEARCHED,
  'found expression': SEARCHED,
  replacement:
    'a replacement written out, with \\1 to \\9 each once at most, that is no longer than the shortest match',
} as const satisfies Readonly<Partial<Record<Exclude<Parameter, object>, string>>>

function isPatternKind(kind: string): kind is keyof typeof EXPECTED_PATTERNS {
  return Object.hasOwn(EXPECTED_PATTERNS, kind)
}

/** Requires a single value, which can be compared, ordered and grouped by. */
export function requireScalar(expr: Expr, offset: number | undefined): void {
  if (expr.type === 'json' || elementType(expr.type) !== undefined)
    throw notSupported(
      `${expr.type} to group, order or tell apart by; take a value out of it, as with -> or [n]`,
      offset,
    )
}

/** The type of a term in words; never its value. */
export function describeTerm(term: Term): string {
  if (term.kind === 'untyped') return term.value === null ? 'null' : 'a text'
  return term.type
}
