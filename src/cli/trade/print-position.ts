import { paint, say } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'

/** Characters of the question that are shown on either side of a position. */
const AROUND = 60

/** Prints the place of a question that a decline is about: its line, and a caret under the character (from 1). */
export function printPosition(
  terminal: Terminal,
  { text, position }: { text: string; position: number },
): void {
  const characters = Array.from(text)
  const at = position - 1
  if (at >= characters.length) return
  const lineStart = characters.lastIndexOf('\n', Math.max(0, at - 1)) + 1
  const nextBreak = characters.indexOf('\n', at)
  const from = Math.max(lineStart, at - AROUND)
  const to = Math.min(nextBreak < 0 ? characters.length : nextBreak, at + AROUND)
  say(terminal, `  ${characters.slice(from, to).join('').replaceAll('\t', ' ')}`)
  say(terminal, `  ${' '.repeat(at - from)}${paint(terminal, 'bad', '^')}`)
}
