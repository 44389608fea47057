import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query'
import type { SelectStmt } from '@pgsql/types'
import { LIMITS } from '../../../kernel/limits.ts'
import { checkTree } from './check-tree.ts'
import { withPlainNames } from './plain-names.ts'
import { syntaxHint } from './syntax-hints.ts'
import { withWrittenSeries } from './written-series.ts'
import { Refusal, atOffset, notSupported, offsetOfCharacter, tooLarge } from './refusal.ts'

// The grammar is WebAssembly; once it is there, reading is synchronous.
await loadModule()

/**
 * Reads one SELECT and proves that its tree holds allowed nodes only. The text is looked at nowhere else.
 *
 * Throws a `Refusal`: `declined.too_large`, `declined.sql_syntax`, `declined.sql_not_supported`.
 */
export function parseQuestion(text: string): SelectStmt {
  checkText(text)
  const statements = parseStatements(text)
  const [first, second] = statements
  if (first?.stmt === undefined) throw new Refusal('declined.sql_syntax', 'The question is empty', 0)
  if (second !== undefined)
    throw notSupported('more than one statement', firstWord(text, second.stmt_location ?? 0))
  const { stmt } = first
  if (!('SelectStmt' in stmt)) throw notSupported('a statement other than SELECT', firstWord(text))
  return atOffset(
    () => firstWord(text),
    () => {
      checkTree(stmt, (part) => (part === 'SelectStmt.lockingClause' ? placeOfLocking(text) : undefined))
      const { SelectStmt: select } = stmt
      return withPlainNames(/generate_series/i.test(text) ? withWrittenSeries(select) : select)
    },
  )
}

/** Where the first word or sign from a place on stands, in bytes: what is before it is space and comments. */
export function firstWord(text: string, from = 0): number {
  const first = scanSync(text).tokens.find(
    ({ start, tokenName }) => start >= from && !tokenName.endsWith('COMMENT'),
  )
  return first?.start ?? from
}

/** Where `$1`, `$2`, … stands first. */
export function placeOfParameter(text: string, number: number): number | undefined {
  return scanSync(text).tokens.find((token) => token.text === `$${number}`)?.start
}

/** The numbers of the parameters that a text names, wherever they stand: also in a part that nothing reads. */
export function parametersNamed(text: string): ReadonlySet<number> {
  const parameters = scanSync(text).tokens.filter(({ tokenName }) => tokenName === 'PARAM')
  return new Set(parameters.map((token) => Number(token.text.slice(1))))
}

/** Where FOR UPDATE, FOR SHARE and the like stand: the grammar says no place of them. Such a clause comes last. */
function placeOfLocking(text: string): number | undefined {
  const words = scanSync(text).tokens.map((token) => ({ ...token, text: token.text.toLowerCase() }))
  return words.findLast(
    (word, index) => word.text === 'for' && LOCKS.test(`${words[index + 1]?.text} ${words[index + 2]?.text}`),
  )?.start
}

const LOCKS = /^(?:update|share|no key|key share)\b/

/**
 * Signs by which a text reads otherwise than it is: marks, embeddings, overrides and isolates of UAX #9. Whoever looks at a
 * question, or at the names in its answer, would see another one. Letters that look alike are compared as they are.
 */
export const REORDERING = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

/** What would cost too much to parse, or would not reach the grammar as it was sent. */
function checkText(text: string): void {
  if (text.length > LIMITS.queryTextBytesMax || Buffer.byteLength(text) > LIMITS.queryTextBytesMax) {
    throw tooLarge(`The question is longer than ${LIMITS.queryTextBytesMax} bytes`, LIMITS.queryTextBytesMax)
  }
  if (!text.isWellFormed())
    throw new Refusal(
      'declined.sql_syntax',
      'The question is not well-formed Unicode',
      Buffer.byteLength(text.slice(0, text.search(/\p{Surrogate}/u))),
    )
  // A C string ends there: the grammar would see less than was sent.
  const zero = text.indexOf('\0')
  if (zero >= 0)
    throw new Refusal(
      'declined.sql_syntax',
      'The question holds a zero character',
      Buffer.byteLength(text.slice(0, zero)),
    )
  const reordering = text.search(REORDERING)
  if (reordering >= 0)
    throw new Refusal(
      'declined.sql_syntax',
      "The question holds a sign that changes the direction of reading; give it as a parameter, or as U&'\\202E'",
      Buffer.byteLength(text.slice(0, reordering)),
    )
  if (text.trim() === '') throw new Refusal('declined.sql_syntax', 'The question is empty', 0)
  // Counts words and signs without understanding them: a bound on the work of the grammar, not a reading of the text.
  const tokens = text.match(/[\p{L}\p{N}_$."]+|[^\s]/gu)?.length ?? 0
  if (tokens > LIMITS.queryTokensMax)
    throw tooLarge(`The question has more than ${LIMITS.queryTokensMax} words and signs`, 0)
}

function parseStatements(text: string): NonNullable<ReturnType<typeof parseSync>['stmts']> {
  try {
    return parseSync(text).stmts ?? []
  } catch (error) {
    if (hasSqlDetails(error))
      throw syntaxRefusal(text, error.sqlDetails?.message ?? '', error.sqlDetails?.cursorPosition ?? 0)
    // The tree outgrew the stack of whoever printed or read it.
    if (error instanceof RangeError || error instanceof SyntaxError)
      throw tooLarge('The question is nested too deep', 0)
    throw error
  }
}

/** The grammar's message quotes the text, literals included, so only its kind is passed on. It counts characters. */
function syntaxRefusal(text: string, message: string, character: number): Refusal {
  if (message.startsWith('memory exhausted') || message.includes('stack'))
    return tooLarge('The question is nested too deep', offsetOfCharacter(text, character))
  const what = message.startsWith('unterminated')
    ? 'Something is quoted and never closed'
    : `Syntax error${syntaxHint(text, character)}`
  return new Refusal('declined.sql_syntax', what, offsetOfCharacter(text, character))
}
