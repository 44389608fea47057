import type { SelectStmt } from '@pgsql/types'
import { digestOf } from '../../kernel/digest.ts'
import { err, ok } from '../../kernel/result.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Mode } from '../../protocol/mode.ts'
import { declined } from '../../protocol/reason.ts'
import type { Decline, Outcome } from '../../protocol/reason.ts'
import { bindQuestion, dataSetsOf } from './bind/question/bind-question.ts'
import type { BoundQuery, CheckedQuery, QueryMode } from './bound/bound-query.ts'
import { literal } from './bind/expression/build-expression.ts'
import type { Term } from './bind/expression/build-expression.ts'
import { firstWord, parametersNamed, parseQuestion, placeOfParameter } from './text/parse-question.ts'
import { Refusal, atOffset, notSupported, tooLarge, withoutNoise } from './text/refusal.ts'
import { canonicalQuery } from './bind/expression/canonical-query.ts'
import { usesOf } from './bound/uses.ts'

/** A value for `$1`, `$2`, … of the text. */
export type QuestionParameter = string | number | boolean | null

export interface QuestionContext {
  readonly mode: Mode
  /** The data sets that the question may name, by their names. */
  readonly dataSets: ReadonlyMap<string, Manifest>
  readonly parameters?: readonly QuestionParameter[]
}

/**
 * Understands a question or declines it: `declined.mode`, `declined.too_large`, `declined.sql_syntax`,
 * `declined.sql_not_supported`, `declined.sql_function`, `declined.column`. What is declined is named, literals
 * never; positions count characters from 1.
 *
 * `detail` may travel: it holds names from the question and from the manifest, no values.
 */
export function checkQuestion(
  text: string,
  { mode, dataSets, parameters = [] }: QuestionContext,
): Outcome<CheckedQuery> {
  if (mode === 'function')
    return declined('declined.mode', { detail: `Mode ${mode} is not answered with SQL yet` })
  try {
    const select = parseQuestion(text)
    const query = atOffset(
      () => firstWord(text),
      () => bindChecked(select, text, { mode, dataSets, parameters }),
    )
    return ok(checkedQuery(query, dataSets))
  } catch (error) {
    if (error instanceof Refusal) return err(withWaysOut(error.toDecline(text), text, dataSets))
    throw error
  }
}

/** The decline, with nothing to do instead that the data sets it names do not offer. */
function withWaysOut(decline: Decline, text: string, dataSets: QuestionContext['dataSets']): Decline {
  const named = [...dataSets].filter(([name]) => text.toLowerCase().includes(name.toLowerCase()))
  const isOffered = named.length > 0 && named.every(([, { modes }]) => modes.includes('private'))
  return isOffered || decline.detail === undefined
    ? decline
    : { ...decline, detail: withoutNoise(decline.detail) }
}

function bindChecked(
  select: SelectStmt,
  text: string,
  { mode, dataSets, parameters }: Required<QuestionContext> & { readonly mode: QueryMode },
): BoundQuery {
  requireShort(text, parameters)
  const terms = parameters.map((value, index) =>
    atOffset(
      () => placeOfParameter(text, index + 1),
      () => parameterTerm(value),
    ),
  )
  const query = bindQuestion(select, { mode, dataSets, parameters: terms })
  requireNamed(text, parameters.length)
  return query
}

/** A value that the question never takes is a slip: another question was meant, or another value. */
function requireNamed(text: string, count: number): void {
  if (count === 0) return
  const named = parametersNamed(text)
  for (let number = 1; number <= count; number += 1)
    if (!named.has(number)) throw notSupported(`a parameter for $${number}, which the question does not name`)
}

/** Parameters are read as carefully as the text is, and may be named again and again in it. */
function requireShort(text: string, parameters: readonly QuestionParameter[]): void {
  const texts = [text, ...parameters.filter((value) => typeof value === 'string')]
  const sizeBytes = texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0)
  if (sizeBytes > LIMITS.queryTextBytesMax)
    throw tooLarge(`The question and its parameters are longer than ${LIMITS.queryTextBytesMax} bytes`)
}

function parameterTerm(value: QuestionParameter): Term {
  if (value === null || typeof value === 'string') {
    if (value !== null && (!value.isWellFormed() || value.includes('\0')))
      throw notSupported('a parameter that is not well-formed Unicode')
    return { kind: 'untyped', value }
  }
  if (typeof value === 'boolean') return literal('boolean', value)
  if (Number.isSafeInteger(value)) return literal('integer', value === 0 ? 0 : value)
  if (!(Math.abs(value) < 1e150)) throw notSupported('a parameter past ±1e150')
  return literal('number', value)
}

/** A bound question with what is to be known of it. */
export function checkedQuery(query: BoundQuery, dataSets: ReadonlyMap<string, Manifest>): CheckedQuery {
  const uses = usesOf(query)
  const names = dataSetsOf(query.sources)
  return {
    mode: query.mode,
    query,
    dataSets: names,
    manifests: new Map([...dataSets].filter(([name]) => names.some((used) => used === name))),
    uses,
    outputs: query.outputs.map(({ name, expr, unit }) => ({ name, type: expr.type, unit })),
    digest: digestOf(JSON.stringify(canonicalQuery(query))),
    lineageDigest: digestOf(
      JSON.stringify(uses.map(({ dataSet, column, clause, outputs }) => [dataSet, column, clause, outputs])),
    ),
  }
}
