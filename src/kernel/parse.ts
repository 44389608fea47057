import type { z } from 'zod'
import type { FieldProblem } from './faults.ts'
import { err, ok } from './result.ts'
import type { Result } from './result.ts'

/** Parses a value at the edge; each problem names the field and what was expected, and never shows the value. */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
): Result<z.output<S>, readonly FieldProblem[]> {
  const parsed = schema.safeParse(value)
  return parsed.success ? ok(parsed.data) : err(fieldProblems(parsed.error))
}

/** The problems of a failed parse as fields with what was expected. */
export function fieldProblems(error: z.ZodError): readonly FieldProblem[] {
  const problems = problemsOf(error.issues)
  return problems.filter((one) => !problems.some((other) => saysMore(other, one)))
}

type Issue = z.core.$ZodIssue

function problemsOf(issues: readonly Issue[], above: readonly PropertyKey[] = []): readonly FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path]
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        field: pathText([...path, key]),
        expected: 'expected no such field',
      }))
    // What is of another kind has no size that could be meant.
    if (isOfSize(issue) && issues.some((other) => other.code === 'invalid_type' && isAt(other, issue)))
      return []
    const meant = issue.code === 'invalid_union' && issue.message === 'Invalid input' && meantOf(issue.errors)
    if (meant) return problemsOf(meant, path)
    // Of a name that is free to choose, what is wrong with the name.
    const inner = issue.code === 'invalid_key' ? issue.issues : [issue]
    return inner.map((one) => ({ field: pathText(path), expected: wordsOf(one) }))
  })
}

function isAt({ path }: Issue, { path: other }: Issue): boolean {
  return path.length === other.length && path.every((part, index) => part === other[index])
}

/** Of several forms of which a value has none, the one that it is nearest to: where the fewest fields are wrong. */
function meantOf(forms: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return forms.toSorted((a, b) => problemsOf(a).length - problemsOf(b).length)[0]
}

function isOfSize(issue: Issue): boolean {
  return issue.code === 'too_big' || issue.code === 'too_small'
}

const SIZES: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'entries',
  map: 'entries',
  set: 'entries',
}

const ONES: Readonly<Record<string, string>> = { characters: 'character', entries: 'entry' }

/** What was expected; of a size for which the schema has no words of its own, which. */
function wordsOf(issue: Issue): string {
  if (!/^Too (?:big|small): /.test(issue.message)) return plainWords(issue.message)
  if (issue.code !== 'too_big' && issue.code !== 'too_small') return issue.message
  const { origin, inclusive = true } = issue
  const limit = issue.code === 'too_big' ? issue.maximum : issue.minimum
  const than = issue.code === 'too_big' ? 'less than' : 'more than'
  const least = issue.code === 'too_big' ? 'at most' : 'at least'
  const unit = SIZES[origin]
  const counted = unit === undefined ? '' : ` ${limit === 1 ? ONES[unit] : unit}`
  return `expected ${inclusive ? least : than} ${limit}${counted}`
}

/** Whether another problem of the same field says all of this one, and more. */
function saysMore(other: FieldProblem, { field, expected }: FieldProblem): boolean {
  return other.field === field && other.expected.startsWith(expected) && other.expected !== expected
}

/** What the library says where a schema has no words of its own: `Invalid input: expected array, received undefined`. */
function plainWords(message: string): string {
  const [, options] =
    /^Invalid (?:option: e|discriminator value\. E)xpected (?:one of )?(.+)$/.exec(message) ?? []
  if (options !== undefined)
    return `expected one of ${options.replaceAll(/["']/g, '').replaceAll(/ ?\| ?/g, ', ')}`
  const [, expected, received] = /^Invalid input: expected (.+), received (\w+)$/.exec(message) ?? []
  if (expected === undefined || received === undefined) return message
  const wanted = `expected ${kindWords(expected)}`
  return received === 'undefined' ? `${wanted}; it is missing` : `${wanted}, not ${kindWords(received)}`
}

/** What kinds of values are called by those who write a file or a request, not by a program. */
const KINDS: Readonly<Record<string, string>> = {
  object: 'named fields',
  record: 'named fields',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
}

function kindWords(kind: string): string {
  return KINDS[kind] ?? kind
}

/** `ask.maxPrice.amount: expected a whole number; …` in one line, for the command line and the log. */
export function describeProblems(problems: readonly FieldProblem[]): string {
  return problems.map(({ field, expected }) => `${field}: ${expected}`).join('; ')
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(whole)'
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('')
}
