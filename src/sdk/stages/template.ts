import type { ReadText, Span } from './read-text.ts'

/**
 * How the answer of a stage is written out: one value in parentheses that are there, the items of `in (…)`, an array
 * for `any (…)`, a relation, or the value of a row's group.
 */
export type AnswerForm = 'value' | 'items' | 'array' | 'relation' | 'of group'

/** The place of an answer in a later text. */
export interface AnswerPlace {
  /** The number of the stage, from 1. */
  readonly stage: number
  readonly form: AnswerForm
  /** Of a value of a group: the columns of the row that say which, as they are written there. */
  readonly keys?: readonly string[]
}

/** A text in which answers of earlier stages are still to be written out. */
export type Template = readonly (string | AnswerPlace)[]

/** A change of a text: what stands in a stretch of it gives way to a template. */
export interface Edit extends Span {
  readonly by: Template
}

/** A stretch of a text with the edits that lie within. */
export function cut({ bytes }: ReadText, span: Span, edits: readonly Edit[]): Template {
  const parts: (string | AnswerPlace)[] = []
  let at = span.start
  const inside = edits.filter(({ start, end }) => start >= span.start && end <= span.end)
  for (const edit of inside.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.toString('utf8', at, edit.start), ...edit.by)
    at = edit.end
  }
  parts.push(bytes.toString('utf8', at, span.end))
  return parts
}

/** The text with every answer in its place. */
export function fill(template: Template, write: (place: AnswerPlace) => string): string {
  return template.map((part) => (typeof part === 'string' ? part : write(part))).join('')
}

/** The stages whose answers a text has to wait for. */
export function awaitedBy(template: Template): readonly number[] {
  return [...new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.stage])))]
}
