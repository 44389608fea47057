import type { FigureNoiseNote, PrivacyNote, Release } from '../../protocol/release.ts'
import { paint, say } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'

/** What a half width is in, as it is read behind a number. */
const OF: Readonly<Record<FigureNoiseNote['of'], string>> = {
  figure: '',
  'figure / rows': ' divided by the number of rows',
  rank: ' rows away from the rank asked for',
}

/** Prints how noisy an answer of mode `private` is, or would be: one line for the guarantee, one for each figure. */
export function printNoise(
  terminal: Terminal,
  note: PrivacyNote,
  { columns = [], indent = '' }: { columns?: Release['columns']; indent?: string } = {},
): void {
  const say1 = (text: string) => say(terminal, paint(terminal, 'dim', `${indent}${text}`))
  const delta = note.delta === 0 ? '' : `, delta ${note.delta}`
  say1(
    note.sameAs === undefined
      ? `noise: ${note.mechanism}, epsilon ${note.epsilon}${delta}; a person counts in ${plural(note.groupsPerPerson, 'group')} with ${plural(note.rowsPerPerson, 'row')} each`
      : `the answer of ${note.sameAs} again: no budget was used`,
  )
  if (note.shownFrom !== undefined)
    say1(`groups are shown from ${note.shownFrom} people on, counted with noise`)
  for (const { column, measure, halfWidth95, of } of note.figures) {
    const name = columns[column - 1]?.name ?? `column ${column}`
    say1(`${name} (${measure}): within ± ${halfWidth95}${OF[of]}, 19 times in 20`)
  }
}

function plural(count: number, noun: string): string {
  return count === 1 ? `one ${noun}` : `up to ${count} ${noun}s`
}
