import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { WrongUse } from './failures.ts'

/** A record of a file with the number of its line, from 1. */
export interface NumberedRecord {
  readonly line: number
  readonly record: unknown
}

/**
 * Reads the records of an NDJSON or CSV file line by line. CSV: a header, commas, quotes after RFC 4180, no line
 * breaks inside a field. Which of the two it is the first character tells.
 */
export async function* readRecords(file: string, stream: Readable): AsyncGenerator<NumberedRecord> {
  let head: readonly string[] | undefined
  let isCsv: boolean | undefined
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
    line += 1
    const trimmed = line === 1 ? text.replace(/^\uFEFF/, '') : text
    if (trimmed.trim() === '') continue
    isCsv ??= !trimmed.trimStart().startsWith('{')
    if (!isCsv) {
      yield { line, record: parseLine(trimmed, { file, line }) }
    } else if (head === undefined) {
      head = splitCsvLine(trimmed)
    } else {
      yield { line, record: recordOf(head, splitCsvLine(trimmed), { file, line }) }
    }
  }
}

/** The fields of one line of CSV (RFC 4180). */
export function splitCsvLine(text: string): string[] {
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? ''
    if (isQuoted && character === '"' && text[index + 1] === '"') {
      field += '"'
      index += 1
    } else if (character === '"') {
      isQuoted = !isQuoted
    } else if (character === ',' && !isQuoted) {
      fields.push(field)
      field = ''
    } else {
      field += character
    }
  }
  return [...fields, field]
}

function recordOf(
  head: readonly string[],
  fields: readonly string[],
  { file, line }: { file: string; line: number },
): Record<string, string> {
  if (fields.length !== head.length) {
    throw new WrongUse(
      `Cannot read line ${line} of "${file}": expected ${head.length} fields, found ${fields.length}`,
    )
  }
  return Object.fromEntries(head.map((name, index) => [name.trim(), fields[index] ?? '']))
}

function parseLine(text: string, { file, line }: { file: string; line: number }): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new WrongUse(`Cannot read line ${line} of "${file}": expected one JSON object`)
  }
}
