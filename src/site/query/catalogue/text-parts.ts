import type { A_Indirection, FuncCall, Node } from '@pgsql/types'
import { LISTS } from './catalogue-lists.ts'
import { textsOf } from '../text/nodes.ts'
import { notSupported } from '../text/refusal.ts'

/**
 * The parts of a text between separators, as PostgreSQL writes them. Columns have no array type, so the array never stands alone:
 * only what is asked of it does.
 */
export const PARTS = {
  at: '(string_to_array(a, b))[n]',
  count: 'array_length(string_to_array(a, b), 1)',
  has: 'x = any (string_to_array(a, b))',
} as const

/** Whether a node is `string_to_array(…)`. */
export function isSplit(node: Node): boolean {
  return 'FuncCall' in node && isNamed(node.FuncCall, 'string_to_array')
}

function isNamed({ funcname = [] }: FuncCall, name: string): boolean {
  return textsOf(funcname)?.join('.') === name
}

/** The text and the separator. */
export function splitArguments(node: Node): readonly Node[] {
  return 'FuncCall' in node ? (node.FuncCall.args ?? []) : []
}

/** `array_length(string_to_array(a, b), 1)`: its text and separator. */
export function countedParts(node: FuncCall): readonly Node[] | undefined {
  const [array, dimension, another] = node.args ?? []
  if (!isNamed(node, 'array_length') || array === undefined || !isSplit(array)) return undefined
  const isFirst = dimension && 'A_Const' in dimension && dimension.A_Const.ival?.ival === 1
  return isFirst && !another ? splitArguments(array) : undefined
}

/** `(list)[n]` or `(string_to_array(a, b))[n]`: how it is called, and its list or text and separator, and number. */
export function partAt({ arg, indirection = [] }: A_Indirection): {
  readonly name: string
  readonly args: readonly Node[]
} {
  const [index, another] = indirection
  if (arg === undefined || index === undefined || another || !('A_Indices' in index))
    throw notSupported('a part of a value, but of a list and of string_to_array')
  const { uidx, lidx, is_slice: isSlice } = index.A_Indices
  if (uidx === undefined || lidx !== undefined || isSlice === true) throw notSupported('a slice')
  return isSplit(arg)
    ? { name: PARTS.at, args: [...splitArguments(arg), uidx] }
    : { name: LISTS.at, args: [arg, uidx] }
}
