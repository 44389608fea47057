import { completeErasures } from '../rights/complete-erasures.ts'
import { erasePerson } from '../rights/erase-person.ts'
import { findErasure, findErasureOf, listErasures } from '../rights/erasure-store.ts'
import { erasureView } from '../rights/erasure-view.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/lookup-digest.ts'
import { NOBODY } from '../vault/vault.ts'
import { notFound } from './may.ts'
import { pageOf } from './page-of.ts'
import type { SiteActs } from './site-acts.ts'

type RightsActs = Pick<SiteActs, 'erasePerson' | 'listErasures' | 'findErasure' | 'completeErasures'>

/** Rights of people in the forms of the door. */
export function rightsActs(site: SiteContext): RightsActs {
  return {
    async erasePerson({ issuer, person, by, nameDigest, reason, isAtOnce, requestKey }) {
      const lookup = lookupDigest(site.keys.lookup, { issuer, personKey: person })
      const [number = NOBODY] = await site.vault.findPeople([lookup])
      const earlier = await findErasureOf(site.db, { person: number, requestKey })
      if (number === NOBODY && !earlier) throw notFound()
      const request = { issuer, reason, requestedBy: by, nameDigest, requestKey }
      const done = earlier ?? (await erasePerson(site, { ...request, person: number }))
      if (!earlier) site.events.erased({ erasure: done.erasure })
      if (isAtOnce) site.events.erasuresCompleted({ erasures: await completeErasures(site) })
      return erasureView((await findErasure(site.db, done.erasure)) ?? done, site.site)
    },
    async listErasures({ cursor, limit, issuer }) {
      const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
      const found = await listErasures(site.db, { after, limit: limit + 1, issuer })
      return pageOf(found, {
        limit,
        cursorOf: ({ id }) => String(id),
        viewOf: (record) => erasureView(record, site.site),
      })
    },
    async findErasure({ erasure, issuer }) {
      const found = await findErasure(site.db, erasure)
      return found && (issuer === undefined || issuer === found.issuer)
        ? erasureView(found, site.site)
        : undefined
    },
    async completeErasures() {
      const completed = await completeErasures(site)
      if (completed > 0) site.events.erasuresCompleted({ erasures: completed })
      return completed
    },
  }
}
