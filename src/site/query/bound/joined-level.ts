import type { PersonRef, Source } from './bound-query.ts'

/** Sources whose columns are null in some rows of the level, because an outer join keeps rows without one of theirs. */
export function nullableSources(sources: readonly Source[]): ReadonlySet<number> {
  const nullable = new Set<number>()
  for (const [index, { kind, join }] of sources.entries()) {
    // What stays in the level around is not known here.
    if (kind === 'outer' || join?.kind === 'left' || join?.kind === 'full') nullable.add(index)
    if (join?.kind === 'right' || join?.kind === 'full')
      for (let earlier = 0; earlier < index; earlier += 1) nullable.add(earlier)
  }
  return nullable
}

/** Sources of which each row of the level has at least one: the row's person is that of the first that is there. */
export function personSources(sources: readonly Source[]): readonly number[] {
  let found: readonly number[] = [0]
  for (const [index, { join }] of sources.entries()) {
    if (join?.kind === 'right') found = [index]
    if (join?.kind === 'full') found = [...found, index]
  }
  return found
}

/** The sources that a person is looked for in. */
export function sourcesOf({ source, orElse = [] }: PersonRef): readonly number[] {
  return [source, ...orElse]
}

/** Whether a person key can be null in a row of the level. */
export function isNullablePerson(person: PersonRef, sources: readonly Source[]): boolean {
  const nullable = nullableSources(sources)
  const own = sourcesOf(person)
  return (
    own.every((source) => nullable.has(source)) &&
    !personSources(sources).every((source) => own.includes(source))
  )
}
