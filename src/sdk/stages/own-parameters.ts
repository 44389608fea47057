import type { Question } from '../../protocol/ask.ts'
import { parametersOf } from './read-text.ts'

/** A question in SQL with its parameters. */
export type SqlQuestion = Extract<Question, { sql: string }>

/**
 * The question of one stage with the parameters that it names itself, numbered anew: a site declines one that its text does not
 * name. Whether the question as a whole names all of them is looked at before.
 */
export async function withOwnParameters({ sql, parameters }: SqlQuestion): Promise<SqlQuestion> {
  if (parameters.length === 0) return { sql, parameters }
  const places = await parametersOf(sql)
  const numbers = [...new Set(places.map(({ number }) => number))].toSorted((a, b) => a - b)
  const own = numbers.map((number) => parameters[number - 1]).filter((value) => value !== undefined)
  // One that is missing is the site's to tell, with its place.
  if (own.length < numbers.length || own.length === parameters.length) return { sql, parameters }
  const bytes = Buffer.from(sql)
  let text = ''
  let at = 0
  for (const { start, end, number } of places) {
    text += `${bytes.toString('utf8', at, start)}$${numbers.indexOf(number) + 1}`
    at = end
  }
  return { sql: text + bytes.toString('utf8', at), parameters: own }
}

/** The number of the first parameter that no text names; `undefined` when all are named. */
export async function unnamedParameter(
  texts: readonly string[],
  { length }: SqlQuestion['parameters'],
): Promise<number | undefined> {
  if (length === 0) return undefined
  const places = await Promise.all(texts.map(parametersOf))
  const named = new Set(places.flat().map(({ number }) => number))
  return Array.from({ length }, (_, index) => index + 1).find((number) => !named.has(number))
}
