import type { Decline, DeclineCode } from '../../../protocol/reason.ts'
import { offsetWithin } from './nodes.ts'

/**
 * How a decline travels out of the depths of binding, where a question is taken apart by recursion. It never leaves
 * this folder: `checkQuestion` and `dropOutputs` turn it into the value that callers see.
 */
export class Refusal extends Error {
  readonly code: DeclineCode
  readonly detail: string
  /** Bytes from the beginning of the text, as the grammar counts; absent when the grammar gives none. */
  readonly offset: number | undefined

  constructor(code: DeclineCode, detail: string, offset?: number) {
    super(detail)
    this.name = 'Refusal'
    this.code = code
    this.detail = detail
    this.offset = offset
  }

  /** The same at a place. */
  at(offset: number): Refusal {
    return new Refusal(this.code, this.detail, offset)
  }

  /** The decline, with the position counted in characters of `text` from 1. Only what is about all of a text has none. */
  toDecline(text: string): Decline {
    if (this.offset === undefined) return { code: this.code, detail: this.detail }
    const position = characterOf(text, this.offset)
    return { code: this.code, detail: `${this.detail}, at character ${position}`, position }
  }
}

/** A sub-select gives groups of nobody in particular where rows of people were expected. */
export class GroupsRefusal extends Refusal {
  override at(offset: number): GroupsRefusal {
    return new GroupsRefusal(this.code, this.detail, offset)
  }
}

/** A name that no column has. What stood in double quotes is as often a text in the wrong ones, and then the author is told. */
export class UnknownColumnRefusal extends Refusal {
  override at(offset: number): UnknownColumnRefusal {
    return new UnknownColumnRefusal(this.code, this.detail, offset)
  }

  override toDecline(text: string): Decline {
    const written = this.offset === undefined ? '' : Buffer.from(text).subarray(this.offset).toString()
    const hint = QUOTED_NAME.test(written)
      ? 'a text is written in single quotes'
      : UNIT_BEFORE_OTHERS.test(written)
        ? "a unit of time is written in single quotes, as in date_trunc('month', t)"
        : isNameOfOutput(this.detail, text)
          ? 'what SELECT names has that name in GROUP BY and ORDER BY alone: write what it stands for, and a condition on an aggregate in HAVING'
          : undefined
    if (hint === undefined) return super.toDecline(text)
    return new Refusal(this.code, `${this.detail}; ${hint}`, this.offset).toDecline(text)
  }
}

/** Whether a name that no column has is given to something with AS. */
function isNameOfOutput(detail: string, text: string): boolean {
  const name = /^There is no column "(\w+)"/.exec(detail)?.[1]
  return name !== undefined && new RegExp(`\\bas\\s+"?${name}\\b`, 'i').test(text)
}

/** A unit as the first of several arguments, where other dialects have a word of their own. */
const UNIT_BEFORE_OTHERS = /^(?:year|quarter|month|week|day|hour|minute|second)\s*,/i

/** A name in double quotes by itself, not one of a relation. */
const QUOTED_NAME = /^"(?:[^"]|"")*"(?!\s*\.)/

/** Does something about a node: a refusal that says no place is at the place of the node. */
export function atNode<T>(node: unknown, act: () => T): T {
  return atOffset(() => offsetWithin(node), act)
}

/** The same at a place that is known, or looked for once it is needed. */
export function atOffset<T>(offset: number | (() => number | undefined) | undefined, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Refusal) || error.offset !== undefined) throw error
    const place = typeof offset === 'function' ? offset() : offset
    throw place === undefined ? error : error.at(place)
  }
}

/** The character (code point, from 1) in which the byte `offset` of the UTF-8 form stands. */
export function characterOf(text: string, offset: number): number {
  let bytes = 0
  let characters = 1
  for (const character of text) {
    if (bytes >= offset) break
    bytes += Buffer.byteLength(character)
    characters += 1
  }
  return characters
}

/** Where in the UTF-8 form the character (code point, from 0) stands. */
export function offsetOfCharacter(text: string, character: number): number {
  let bytes = 0
  let characters = 0
  for (const one of text) {
    if (characters >= character) break
    bytes += Buffer.byteLength(one)
    characters += 1
  }
  return bytes
}

/** Something of the grammar that the gate does not take. `what` is a noun phrase. */
export function notSupported(what: string, offset?: number): Refusal {
  return new Refusal('declined.sql_not_supported', `Not supported: ${what}`, offset)
}

/** The same of groups of nobody in particular, where rows of people were expected. */
export function groupsRefused(what: string, offset?: number): GroupsRefusal {
  return new GroupsRefusal('declined.sql_not_supported', `Not supported: ${what}`, offset)
}

/** What only noise allows, as a detail says it last. */
const WITH_NOISE = /; with noise, mode private [^;(),]*/g

/** A detail without what only noise allows: where no data set that is asked about offers it, it is no way out. */
export function withoutNoise(detail: string): string {
  return detail.replaceAll(WITH_NOISE, '')
}

/** What to do with a sub-query over other people, as a detail ends (`docs/decisions/0025`). */
export const IN_STAGES = 'or ask it first and write its answer out, as asking in stages does'

/** A function, operator or cast that is not on the list, or not with these arguments. */
export function notAllowed(what: string, offset?: number): Refusal {
  return new Refusal('declined.sql_function', `Not allowed: ${what}`, offset)
}

/** Names that the grammar of PostgreSQL, or the gate, gives to what was written otherwise. */
const WRITTEN: Readonly<Record<string, string>> = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
  btrim: 'trim',
  ltrim: 'trim',
  rtrim: 'trim',
  timezone: 'AT TIME ZONE',
  pg_collation_for: 'COLLATION FOR',
  is_normalized: 'IS NORMALIZED',
  bpchar: 'char',
  float4: 'real',
  varbit: 'bit varying',
  timestamptz: 'timestamp with time zone',
  timetz: 'time with time zone',
}

/** What stands bare: signs of operators, and words of the grammar as the gate writes them. */
const BARE = [
  /^[-+*/<>=~!@#%^&|`?]+$/,
  /^(NOT )?(IN|LIKE|ILIKE|BETWEEN)$/,
  /^IS( NOT)? (NULL|TRUE|FALSE|DISTINCT FROM)$/,
  /^(AND|OR|NOT|NULLIF|CASE|COALESCE|GREATEST|LEAST|LIMIT|a condition)$/,
  /^(\(list\)\[n\]|x = any \(list\))$/,
]

/**
 * A function, operator or type as a detail says it. Only what may be the asker's own word stands in double quotes,
 * where `declineInNames` looks for literals: signs and words of the grammar never hold one.
 */
export function spoken(name: string): string {
  const written = Object.hasOwn(WRITTEN, name) ? WRITTEN[name] : undefined
  return written ?? (BARE.some((pattern) => pattern.test(name)) ? name : `"${name}"`)
}

/** A column that is unknown or may not stand where it stands. */
export function wrongColumn(why: string, offset?: number): Refusal {
  return new Refusal('declined.column', why, offset)
}

/** A column that is not there. */
export function unknownColumn(why: string, offset?: number): UnknownColumnRefusal {
  return new UnknownColumnRefusal('declined.column', why, offset)
}

/** Past a limit. */
export function tooLarge(what: string, offset?: number): Refusal {
  return new Refusal('declined.too_large', what, offset)
}
