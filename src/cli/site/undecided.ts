/** The word before whatever is still to be decided in a draft of a manifest (`site/drafting/draft-text.ts`). */
const DECIDE = /^DECIDE\b\s*/

/** Something that is to be decided, and what was guessed. */
export interface Undecided {
  readonly field: string
  readonly guess: string
}

/** What is still to be decided in a document: every text that begins with the word. */
export function undecided(document: unknown, field = ''): readonly Undecided[] {
  if (typeof document === 'string')
    return DECIDE.test(document) ? [{ field, guess: document.replace(DECIDE, '') }] : []
  if (Array.isArray(document))
    return document.flatMap((value: unknown, index) =>
      undecided(value, `${field}[${nameIn(value) ?? index}]`),
    )
  if (typeof document !== 'object' || document === null) return []
  return Object.entries(document).flatMap(([name, value]) =>
    undecided(value, field === '' ? name : `${field}.${name}`),
  )
}

/** What a part of a list calls itself: a column is found by its name. */
function nameIn(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
    ? value.name
    : undefined
}
