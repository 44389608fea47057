import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'
import stringWidth from 'string-width'
import { shortMomentText } from '../protocol/words/plain-words.ts'

/** Where a verb writes. Tables and sentences go to `out`; progress and complaints to `error`. */
export interface Terminal {
  readonly out: NodeJS.WritableStream
  readonly error: NodeJS.WritableStream
  /** Colour, and lines broken at its width: only where somebody looks. */
  readonly isInteractive: boolean
  /** Colour and progress on `error`: only where both are looked at, for either may go to a file or a pipe. */
  readonly isErrorInteractive: boolean
  readonly columns: number
}

/** The terminal of this process; no colour with NO_COLOR (no-color.org), nor on one that can but print (`TERM=dumb`). */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
  { stdout, stderr }: { readonly stdout: Stream; readonly stderr: Stream } = process,
): Terminal {
  const isPlain =
    (environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '') ||
    environment['TERM'] === 'dumb'
  const isInteractive = stdout.isTTY === true && !isPlain
  return {
    out: stdout,
    error: stderr,
    isInteractive,
    isErrorInteractive: isInteractive && stderr.isTTY === true,
    columns: stdout.columns ?? 120,
  }
}

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/** How a text is coloured. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong' | 'accent'
const STYLES = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  dim: 'gray',
  strong: 'bold',
  accent: 'cyan',
} as const

/** Colours a text for a terminal, and leaves it alone for a pipe. */
export function paint({ isInteractive }: Terminal, tone: Tone, text: string): string {
  return isInteractive ? coloured(tone, text) : text
}

function coloured(tone: Tone, text: string): string {
  return styleText(STYLES[tone], text, { validateStream: false })
}

/** One complaint, on `error`. */
export function complain({ error, isErrorInteractive }: Terminal, text: string): void {
  const shown = disarmed(readable(text))
  error.write(`${isErrorInteractive ? coloured('bad', shown) : shown}\n`)
}

/** Moments in a sentence of a server, which are RFC 3339, as tables have them; not one that shows how a time is to be typed. */
export function readable(text: string): string {
  return text.replaceAll(
    /(?<!such as )\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?![\w:.-])/g,
    shortMomentText,
  )
}

const written = new WeakSet<NodeJS.WritableStream>()

/** Writes to `out`, as it is. */
export function write({ out }: Terminal, text: string | Uint8Array): void {
  written.add(out)
  out.write(text)
}

/** Whether anything was written to `out`. */
export function hasWritten({ out }: Terminal): boolean {
  return written.has(out)
}

/** One line of text. What others wrote into it is shown and never obeyed. */
export function say(terminal: Terminal, line = ''): void {
  write(terminal, `${disarmed(line, terminal.isInteractive)}\n`)
}

/** The colours of `paint` with their ends; control characters but line feeds and tabs; marks that turn the direction of a text. */
const OBEYED = /\p{Cc}\[(?:1|22|31|32|33|36|39|90)m|(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu

/**
 * A text that a terminal only shows. Titles, names and released values come from strangers, and a terminal obeys what stands in
 * them: it would rewrite lines that were printed before, or put text where the next command is typed.
 */
export function disarmed(text: string, isColoured = false): string {
  return text.replaceAll('\r\n', '\n').replaceAll(OBEYED, (found) => {
    if (isColoured && found.startsWith('\u001B[')) return found
    return `${escapeOf(found)}${found.slice(1)}`
  })
}

/** The same for a text that stands in a line with others: where it breaks off, what follows would be taken for a line of its own. */
export function inLine(text: string, isColoured = false): string {
  return disarmed(text, isColoured).replaceAll(/[\n\u2028\u2029]/g, (sign) =>
    sign === '\n' ? '\\n' : escapeOf(sign),
  )
}

function escapeOf(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * A sentence in lines that a terminal shows whole, broken between words; `indent` stands before each. A word that is longer
 * than a line is left whole, to be copied.
 */
export function wrapped({ columns }: Pick<Terminal, 'columns'>, text: string, indent = ''): string {
  const width = Math.min(columns, TEXT_COLUMNS_MAX) - indent.length
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || stringWidth(`${last} ${word}`) > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.map((line) => `${indent}${line}`).join('\n')
}

/** Wider than this, a sentence is hard to read. */
const TEXT_COLUMNS_MAX = 110

/** What a table shows; `indent` stands before each line. */
export interface TableContents {
  readonly head: readonly string[]
  /** A row of one cell in a table of several columns goes over all of them, as it is: neither cut nor wrapped. */
  readonly rows: readonly (readonly string[])[]
  /** What is said where there are none. */
  readonly none?: string
  readonly widths?: readonly (number | null)[]
  readonly indent?: string
}

/** A table: the head dimmed, no vertical rules, numbers to the right, wrapped to given widths and to what the terminal has. */
export function table(terminal: Terminal, contents: TableContents): void {
  const { head, rows, none, indent = '' } = contents
  if (rows.length === 0) {
    if (none !== undefined) say(terminal, none)
    return
  }
  const isOverAll = (row: readonly string[]) => row.length === 1 && head.length > 1
  // Before they are measured, and so that no cell can be taken for OVER_ALL.
  const shown = rows.map((row) =>
    row.map((cell) => (isOverAll(row) ? disarmed : inLine)(cell, terminal.isInteractive)),
  )
  const cells = shown.filter((row) => !isOverAll(row))
  const colWidths = fittingWidths({ ...contents, rows: cells }, terminal.columns - indent.length)
  const drawn = new Table({
    head: head.map((title) => paint(terminal, 'dim', title)),
    chars: CHARS,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': PADDING },
    wordWrap: true,
    colAligns: head.map((_, column) => (isOfNumbers(cells, column) ? 'right' : 'left')),
    colWidths,
  })
  for (const row of shown)
    drawn.push(
      isOverAll(row)
        ? [{ content: OVER_ALL, colSpan: head.length }]
        : row.map((cell, column) => hanging(cell, (colWidths[column] ?? 0) - PADDING)),
    )
  const texts = shown.filter(isOverAll).values()
  const lines = drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .flatMap((line) => (line === OVER_ALL ? (texts.next().value?.[0] ?? '').split('\n') : [line]))
    .filter((line) => line !== '')
  say(terminal, lines.map((line) => `${indent}${line}`).join('\n'))
}

/** Stands in a drawn table for a text over all columns, which the drawing would cut or wrap; one of control signs alone it leaves out. */
const OVER_ALL = '\0.'

/** Spaces after each cell. */
const PADDING = 2

/** The words of a cell, each with the spaces that stand in front of the cell. */
function wordsOf(text: string): string[] {
  const [indent] = /^ */.exec(text) ?? ['']
  return text
    .slice(indent.length)
    .split(/\s/)
    .map((word) => `${indent}${word}`)
}

/** An indented cell in lines that are all indented: the drawing does not count the spaces in front, and would cut it. */
function hanging(cell: string, width: number): string {
  const [indent] = /^ */.exec(cell) ?? ['']
  return indent === '' ? cell : wrapped({ columns: width }, cell.slice(indent.length), indent)
}

/** The widths of columns: those given, else as wide as their longest cell; the widest give way until all fit. No word is cut. */
function fittingWidths({ head, rows, widths }: TableContents, columns: number): number[] {
  const measured = head.map((title, index) => {
    const texts = [title, ...rows.map((row) => row[index] ?? '')]
    const longest = (parts: readonly string[]) =>
      Math.max(...parts.map((part) => stringWidth(part))) + PADDING
    const words = longest(texts.flatMap(wordsOf))
    const width = widths?.[index] ?? longest(texts.flatMap((text) => text.split('\n')))
    return { least: isOfNumbers(rows, index) ? width : words, width }
  })
  for (let over = sumOf(measured) - PADDING - columns; over > 0; over -= 1) {
    const [widest] = measured
      .filter(({ width, least }) => width > least)
      .toSorted((a, b) => b.width - a.width)
    if (widest === undefined) break
    widest.width -= 1
  }
  return measured.map(({ width }) => width)
}

function sumOf(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0)
}

/** Whether whatever stands in a column is a number, with its unit or its step: `1,904`, `≥ 50`, `55 %`, `-2.50 EUR`. */
function isOfNumbers(rows: TableContents['rows'], column: number): boolean {
  const cells = rows.map((row) => stripVTControlCharacters(row[column] ?? '')).filter((cell) => cell !== '')
  return cells.length > 0 && cells.every((cell) => NUMBER.test(cell))
}

const NUMBER = /^(?:[≥<≈] )?-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?: (?:%|[A-Z]{3}))?$/

const CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const

/** A line that is written over again while something long is under way; nothing at all in a pipe. */
export function progress(terminal: Terminal): { show(line: string): void; end(): void } {
  if (!terminal.isErrorInteractive) return { show: () => undefined, end: () => undefined }
  return {
    show: (line) => terminal.error.write(`\r\u001B[2K${inLine(line).slice(0, terminal.columns - 1)}`),
    end: () => terminal.error.write('\r\u001B[2K'),
  }
}
