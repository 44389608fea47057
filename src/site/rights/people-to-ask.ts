import type { z } from 'zod'
import type { Manifest } from '../../protocol/data-set.ts'
import type { personToAskSchema } from '../../protocol/http/ask-again-api.ts'
import { outdatedGrants, refusalsOn } from '../consent/outdated-grants.ts'
import type { OutdatedTerms } from '../consent/outdated-grants.ts'
import type { SiteContext } from '../site-context.ts'
import { namedPeople } from './named-people.ts'
import { noteAccess } from './note-access.ts'
import { cursorBehind, numberOfCursor } from './people-cursor.ts'
import type { Reader } from './person-reading.ts'

export type PersonToAsk = z.input<typeof personToAskSchema>

/** Some people to ask, and where it goes on unless these are the last. Erased people are none, but they end a portion too. */
export interface PortionToAsk {
  readonly items: readonly PersonToAsk[]
  readonly nextCursor?: string | undefined
}

/**
 * Whom the issuer of a data set has to ask again, under the keys by which it knows them, from where a cursor says on and `limit`
 * at a time. That each was read is noted before they are shown.
 */
export async function* peopleToAsk(
  site: SiteContext,
  {
    manifest,
    reading,
    cursor,
    limit,
  }: { manifest: Manifest; reading: Reader; cursor?: string | undefined; limit: number },
): AsyncGenerator<PortionToAsk> {
  const place = `people to ask about ${manifest.dataSet}`
  const after = (cursor === undefined ? undefined : numberOfCursor(cursor, site, place)) ?? -1
  const now = site.clock.now()
  const refused = await refusalsOn(site.db, manifest.dataSet)
  const outdated = outdatedGrants(site.mirror, { manifest, refused, now })
  const numbers = [...new Set(outdated.flatMap(({ people }) => [...people]))]
    .filter((number) => number > after)
    .toSorted((one, other) => one - other)
  for (let start = 0; start < numbers.length; start += limit) {
    const portion = numbers.slice(start, start + limit)
    const items: PersonToAsk[] = []
    for await (const people of namedPeople(site, { manifest, people: portion })) {
      if (people.length === 0) continue
      await noteAccess(site, { people, reading, what: 'whom to ask again' })
      items.push(...people.map(({ number, key }) => ({ person: key, granted: grantedBy(number, outdated) })))
    }
    const last = portion.at(-1)
    const isLast = last === undefined || start + limit >= numbers.length
    yield { items, ...(isLast ? {} : { nextCursor: cursorBehind(last, site, place) }) }
  }
}

function grantedBy(number: number, outdated: readonly OutdatedTerms[]): PersonToAsk['granted'] {
  return outdated.flatMap(({ terms, standing, people }) => {
    const { grantee, purposes, modes, columns, givenBy, notice } = terms
    if (notice === undefined || !people.has(number)) return []
    return [
      {
        grantee,
        purposes: [...purposes],
        modes: [...modes],
        ...(columns === undefined ? {} : { columns: [...columns] }),
        givenBy,
        notice,
        standing,
      },
    ]
  })
}
