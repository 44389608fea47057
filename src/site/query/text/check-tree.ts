import { LIMITS } from '../../../kernel/limits.ts'
import { ALLOWED_NODES, REFUSED_NAMES } from './allowed-nodes.ts'
import type { FieldRule, NodeKind } from './allowed-nodes.ts'
import { locationOf, offsetWithin } from './nodes.ts'
import { notSupported, tooLarge } from './refusal.ts'
import { isWrittenSeries } from './written-series.ts'

interface Waiting {
  readonly kind: string
  readonly body: unknown
  readonly depth: number
  /** Of the nearest node above that has one. */
  readonly offset: number | undefined
}

/** Where a part of a node that says no place itself stands in the text, by its name (`SelectStmt.lockingClause`). */
export type PlaceOfPart = (part: string) => number | undefined

/**
 * Compares a parse tree with the list of allowed nodes and fields, without recursion, so that depth cannot hurt.
 * Throws a `Refusal` that names the first thing, from the left, that is not on the list.
 */
export function checkTree(root: unknown, placeOf: PlaceOfPart = () => undefined): void {
  const waiting: Waiting[] = []
  pushNode(root, { depth: 1, offset: undefined }, waiting)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > LIMITS.queryDepthMax)
      throw tooLarge(`The question is nested more than ${LIMITS.queryDepthMax} levels deep`, next.offset)
    visit(next, waiting, placeOf)
  }
}

function visit(node: Waiting, waiting: Waiting[], placeOf: PlaceOfPart): void {
  const { kind, body } = node
  const offset = locationOf(body) ?? node.offset
  // Nothing but constants is in it.
  if (kind === 'RangeFunction' && isWrittenSeries(body)) return
  if (!isAllowedKind(kind)) throw refusedNode(kind, { own: offsetWithin(body), above: node.offset })
  if (!isRecord(body)) throw notSupported(`${kind} in this form`, offset)
  const rules: Readonly<Record<string, FieldRule>> = ALLOWED_NODES[kind]
  const children: Waiting[] = []
  for (const [field, value] of Object.entries(body)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined
    if (rule === undefined)
      throw refusedField(
        kind,
        field,
        placeOf(`${kind}.${field}`) ?? offsetWithin(value) ?? offset ?? offsetWithin(body),
      )
    if (rule === 'plain') checkPlain(`${kind}.${field}`, value, offset)
    else if (rule === 'node') pushNode(value, { depth: node.depth + 1, offset }, children)
    else if (rule === 'nodes' || (rule === 'bare or nodes' && !isBare(value)))
      pushNodes(value, { depth: node.depth + 1, offset }, children)
    else if (rule === 'bare or nodes') continue
    else if ('struct' in rule)
      children.push({ kind: rule.struct, body: value, depth: node.depth + 1, offset })
    else if (!rule.only.some((allowed) => allowed === value))
      throw refusedField(kind, field, offset ?? offsetWithin(body))
  }
  while (children.length > 0) {
    const child = children.pop()
    if (child) waiting.push(child)
  }
}

function pushNodes(list: unknown, place: Pick<Waiting, 'depth' | 'offset'>, into: Waiting[]): void {
  if (!Array.isArray(list)) throw notSupported('a list in this form', place.offset)
  for (const item of list) pushNode(item, place, into)
}

/** A node stands in the tree as an object with one member, named by its kind. */
function pushNode(node: unknown, place: Pick<Waiting, 'depth' | 'offset'>, into: Waiting[]): void {
  const entries = isRecord(node) ? Object.entries(node) : []
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) throw notSupported('an empty place', place.offset)
  into.push({ kind: entry[0], body: entry[1], ...place })
}

/** `DISTINCT` without more stands in the tree as a list with nothing in it. */
export function isBare(value: unknown): boolean {
  const [only, another]: readonly unknown[] = Array.isArray(value) ? value : []
  return isRecord(only) && another === undefined && Object.keys(only).length === 0
}

function checkPlain(name: string, value: unknown, offset: number | undefined): void {
  if (typeof value === 'object') throw notSupported(`${name} in this form`, offset)
}

interface Places {
  readonly own: number | undefined
  readonly above: number | undefined
}

function refusedNode(kind: string, { own, above }: Places): Error {
  // What a statement says first of itself is the name of its table, far from the word that is wrong.
  if (kind.endsWith('Stmt')) return notSupported('a statement other than SELECT', above ?? own)
  return notSupported(REFUSED_NAMES[kind] ?? kind, own ?? above)
}

function refusedField(kind: string, field: string, offset: number | undefined): Error {
  const name = `${kind}.${field}`
  return notSupported(REFUSED_NAMES[name] ?? name, offset)
}

function isAllowedKind(kind: string): kind is NodeKind {
  return Object.hasOwn(ALLOWED_NODES, kind)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
