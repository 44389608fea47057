import { LIMITS } from '../../../../kernel/limits.ts'
import type { Untyped } from './build-expression.ts'

const ITEM = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"\\{},](?:[^"\\{},]*[^\s"\\{},])?))\s*(?:,|$)/suy

/** The elements of a list as PostgreSQL writes one in a text, `{a,"b, c",null}`; undefined where it is none, or empty. */
export function readArray(text: string): readonly Untyped[] | undefined {
  const inside = /^\s*\{(.*)\}\s*$/su.exec(text)?.[1]
  if (inside === undefined || inside.trim() === '' || inside.endsWith(',')) return undefined
  const items: Untyped[] = []
  ITEM.lastIndex = 0
  while (ITEM.lastIndex < inside.length) {
    const [found, quoted, bare = ''] = ITEM.exec(inside) ?? []
    if (found === undefined || items.length >= LIMITS.queryExpressionSizeMax) return undefined
    const value =
      quoted === undefined ? (/^null$/i.test(bare) ? null : bare) : quoted.replaceAll(/\\(.)/gsu, '$1')
    items.push({ kind: 'untyped', value })
  }
  return items
}
