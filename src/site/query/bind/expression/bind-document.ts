import type { Node } from '@pgsql/types'
import { elementType, LIST_TYPES } from '../../../../protocol/data-set.ts'
import type { ListType } from '../../../../protocol/data-set.ts'
import { storedJson } from '../../../vault/stored-json.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { call, caseOf, coerce, literal, resolveCall } from './build-expression.ts'
import type { Place, Term } from './build-expression.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { readTextList } from '../../bound/literals.ts'
import { notSupported } from '../../text/refusal.ts'

/** An operand of an operator of documents or lists: a value, or a list that is written out. */
export type Operand = Term | { readonly kind: 'written list'; readonly items: readonly Term[] }

/** An operand where it stands: ARRAY[…] is a value nowhere else. */
export function bindOperandOrList(node: Node, bind: (node: Node) => Term): Operand {
  return 'A_ArrayExpr' in node
    ? { kind: 'written list', items: (node.A_ArrayExpr.elements ?? []).map(bind) }
    : bind(node)
}

/**
 * An operator of documents or lists that takes more than single values, or is made of others; `undefined` for every other
 * one.
 */
export function bindDocumentOperator(
  sign: string,
  [left, right]: readonly Operand[],
  offset: number | undefined,
): Expr | undefined {
  const place: Place = { offset, name: sign }
  if (left === undefined || right === undefined) return undefined
  if (sign === '->>' && isTerm(left) && isTerm(right))
    return call('json_text', [resolveCall([left, right], { offset, name: '->' })])
  if (sign === '#>' || sign === '#>>') return bindPath(sign, { left, right, place })
  if (sign === '?|' || sign === '?&') return bindHasSome(sign, { left, right, place })
  if (sign === '@>' && isOfType(left, 'json')) return bindContains(left, { right, place })
  if (sign === '@>' || sign === '<@' || sign === '&&') return bindLists({ left, right, place })
  return undefined
}

function isTerm(operand: Operand): operand is Term {
  return operand.kind !== 'written list'
}

function isOfType(operand: Operand, type: 'json'): operand is Expr {
  return operand.kind !== 'untyped' && operand.kind !== 'written list' && operand.type === type
}

interface Operands {
  readonly left: Operand
  readonly right: Operand
  readonly place: Place
}

/** Texts that are written out: `array['a', 'b']` or `'{a,b}'`. */
function writtenTexts(operand: Operand, { name, offset }: Place): readonly Term[] {
  const items = itemsOf(operand)
  if (items === undefined || items.some((item) => item.kind !== 'untyped' || item.value === null))
    throw notSupported(`${name} with anything but texts that are written out, as in '{a,b}'`, offset)
  return items
}

function itemsOf(operand: Operand): readonly Term[] | undefined {
  if (operand.kind === 'written list') return operand.items
  if (operand.kind !== 'untyped' || operand.value === null) return undefined
  return readTextList(operand.value)?.map((value) => ({ kind: 'untyped', value }))
}

function bindPath(sign: '#>' | '#>>', { left, right, place }: Operands): Expr {
  if (!isTerm(left)) throw notSupported(`${sign} of a list`, place.offset)
  const steps = writtenTexts(right, place)
  const found = steps.reduce<Term>((term, step) => resolveCall([term, step], { ...place, name: '#>' }), left)
  const document = coerce(found, 'json', place)
  return sign === '#>' ? document : call('json_text', [document])
}

function bindHasSome(sign: '?|' | '?&', { left, right, place }: Operands): Expr {
  if (!isTerm(left)) throw notSupported(`${sign} of a list`, place.offset)
  const each = writtenTexts(right, place).map((name) => resolveCall([left, name], { ...place, name: '?' }))
  const [first, second] = each
  if (first === undefined) throw notSupported('an empty list', place.offset)
  return second === undefined ? first : call(sign === '?|' ? 'or' : 'and', each)
}

function bindLists({ left, right, place }: Operands): Expr | undefined {
  const list = [left, right].flatMap((operand) =>
    operand.kind === 'untyped' || operand.kind === 'written list'
      ? []
      : LIST_TYPES.filter((type) => type === operand.type),
  )[0]
  if (list === undefined) return undefined
  const lists = [left, right].map((operand): Term => {
    const items = itemsOf(operand)
    if (items === undefined && !isTerm(operand)) throw notSupported('an empty list', place.offset)
    return items === undefined && isTerm(operand) ? operand : listOf(items ?? [], list, place)
  })
  return resolveCall(lists, place)
}

const LIST_OF: Readonly<Record<ListType, CallId>> = {
  'boolean[]': 'list_of_booleans',
  'integer[]': 'list_of_integers',
  'number[]': 'list_of_numbers',
  'text[]': 'list_of_texts',
}

/** A list of values that are written out, none of them null: of one engine a null among them is a value, of the other none. */
function listOf(items: readonly Term[], type: ListType, place: Place): Expr {
  const element = elementType(type) ?? 'text'
  const values = items.map((item) => coerce(item, element, place))
  if (values.length === 0 || values.some((value) => value.kind !== 'literal' || value.value === null))
    throw notSupported(
      `${place.name} with anything but columns and lists of values that are written out`,
      place.offset,
    )
  return call(LIST_OF[type], values)
}

/** `document @> '{"a": 1}'`: what the written document has, the other has at the same place. */
function bindContains(document: Expr, { right, place }: Pick<Operands, 'right' | 'place'>): Expr {
  const text = right.kind === 'untyped' && right.value !== null ? storedJson(right.value) : undefined
  if (text === undefined)
    throw notSupported('@> of a JSON document with anything but one that is written out', place.offset)
  const pattern: unknown = JSON.parse(text)
  // A single value is also found within a list, but only at the top.
  const isSingle = typeof pattern !== 'object' || pattern === null
  const holds = isSingle
    ? call('or', [isEqual(document, pattern, place), hasItem(document, pattern)])
    : contains(document, pattern, place)
  return caseOf(
    [{ when: call('is_null', [document]), value: literal('boolean', null) }],
    call('coalesce', [holds, literal('boolean', false)]),
  )
}

function contains(document: Expr, pattern: unknown, place: Place): Expr {
  if (typeof pattern !== 'object' || pattern === null) return isEqual(document, pattern, place)
  const isList = Array.isArray(pattern)
  const parts: Expr[] = isList
    ? pattern.map((item: unknown) => {
        if (typeof item === 'object' && item !== null)
          throw notSupported('@> with a list that holds objects or lists', place.offset)
        return hasItem(document, item)
      })
    : Object.entries(pattern).map(([name, member]: readonly [string, unknown]) =>
        contains(
          coerce(
            resolveCall([document, { kind: 'untyped', value: name }], { ...place, name: '->' }),
            'json',
            place,
          ),
          member,
          place,
        ),
      )
  return call('and', [isOfKind(document, isList ? 'array' : 'object'), ...parts])
}

function isOfKind(document: Expr, kind: string): Expr {
  return call('eq', [call('json_kind', [document]), literal('text', kind)])
}

function hasItem(document: Expr, item: unknown): Expr {
  return call('json_items_have', [document, literal('text', storedJson(JSON.stringify(item)) ?? 'null')])
}

function isEqual(document: Expr, value: unknown, { offset }: Place): Expr {
  if (typeof value === 'string')
    return call('and', [
      isOfKind(document, 'string'),
      call('eq', [call('json_text', [document]), literal('text', value)]),
    ])
  if (typeof value === 'number')
    return call('eq', [call('cast_json_number', [document]), literal('number', value)])
  if (typeof value === 'boolean')
    return call('eq', [call('cast_json_boolean', [document]), literal('boolean', value)])
  if (value !== null) throw notSupported('@> of this document', offset)
  return isOfKind(document, 'null')
}
