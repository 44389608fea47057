import { formatInstant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { ErasureView } from '../../protocol/rights/erasure.ts'
import type { RestrictionView } from '../../protocol/rights/restriction.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { readMemberAddresses } from '../officer/member-addresses.ts'
import { readPartyNames } from '../officer/party-names.ts'
import { noticeView } from '../recipients/notice-view.ts'
import { findNotices } from '../recipients/recipient-notice-store.ts'
import { withdrawalsOf } from '../recipients/withdrawal-store.ts'
import { endGrantsOfBarred } from '../principals/end-grants-of-barred.ts'
import { noteAccess } from '../rights/note-access.ts'
import { knownPeople } from '../rights/person-reading.ts'
import { completeErasures } from '../rights/complete-erasures.ts'
import { erasePerson } from '../rights/erase-person.ts'
import { findErasure, findErasureOf, listErasures } from '../rights/erasure-store.ts'
import type { ErasureRecord } from '../rights/erasure-store.ts'
import { erasureView } from '../rights/erasure-view.ts'
import { correctPerson } from '../rights/correct-person.ts'
import { liftRestriction, restrictPerson } from '../rights/restrict-person.ts'
import { findRestriction } from '../rights/restriction-store.ts'
import type { RestrictionRecord } from '../rights/restriction-store.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import { NOBODY } from '../vault/vault.ts'
import { notFound } from './may.ts'
import { pageOf } from './page-of.ts'
import type { SiteActs } from './site-acts.ts'

type RightsActs = Pick<
  SiteActs,
  | 'erasePerson'
  | 'listErasures'
  | 'findErasure'
  | 'listSentNotices'
  | 'personNotices'
  | 'completeErasures'
  | 'correctPerson'
  | 'restrictPerson'
  | 'findRestriction'
  | 'liftRestriction'
>

/** Rights of people in the forms of the door. */
export function rightsActs(
  site: SiteContext,
  {
    withdrawAtOnce,
    closing,
  }: {
    readonly withdrawAtOnce: () => Promise<void>
    /** Aborted when the site stops: what may take minutes is left for the next start. */
    readonly closing: AbortSignal
  },
): RightsActs {
  // Where nobody was given anything of the person there is nobody to look for.
  const certificate = async (record: ErasureRecord, { isAnybodyTold = true } = {}) =>
    erasureView(record, {
      site: site.site,
      now: site.clock.now(),
      notices: isAnybodyTold ? await findNotices(site.db, { cause: record.erasure }) : [],
      withdrawals: isAnybodyTold ? await withdrawalsOf(site.db, record.erasure) : [],
      heldUntil: await site.backups.heldUntil(record.deletedAt ?? site.clock.now()),
    })
  return {
    ...changingActs(site),
    ...noticeActs(site),
    async erasePerson({ issuer, person, by, nameMark, reason, isAtOnce, requestKey }) {
      const lookup = lookupDigest(site.keys.lookup, { issuer, personKey: person })
      const [number = NOBODY] = await site.vault.findPeople([lookup])
      const earlier = await findErasureOf(site.db, { person: number, requestKey })
      if (number === NOBODY && !earlier) throw notFound()
      const request = { issuer, reason, requestedBy: by, nameMark, requestKey, guardianMark: lookup }
      const done = earlier
        ? { ...earlier, isAnybodyTold: true }
        : await erasePerson(site, { ...request, person: number, isUnknown: true })
      if (!earlier) site.events.erased({ erasure: done.erasure })
      if (isAtOnce) {
        site.events.erasuresCompleted({ erasures: await completeErasures(site, { signal: closing }) })
        await withdrawAtOnce()
      }
      return certificate((isAtOnce ? await findErasure(site.db, done.erasure) : undefined) ?? done, done)
    },
    async listErasures({ cursor, limit, issuer }) {
      const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
      const found = await listErasures(site.db, { after, limit: limit + 1, issuer })
      const shown = found.slice(0, limit)
      const views = new Map<number, ErasureView>()
      for (const record of shown) views.set(record.id, await certificate(record))
      return pageOf(found, {
        limit,
        cursorOf: ({ id }) => String(id),
        viewOf: (record) => views.get(record.id) ?? missing(),
      })
    },
    async findErasure({ erasure, issuers }) {
      const found = await findErasure(site.db, erasure)
      return found && (issuers === undefined || issuers.includes(found.issuer))
        ? certificate(found)
        : undefined
    },
    async completeErasures() {
      const completed = await completeErasures(site, { signal: closing })
      if (completed > 0) site.events.erasuresCompleted({ erasures: completed })
      await withdrawAtOnce()
      return completed
    },
  }
}

/** What recipients of rows were told. */
function noticeActs(site: SiteContext): Pick<RightsActs, 'listSentNotices' | 'personNotices'> {
  return {
    async listSentNotices({ cursor, limit, issuer, state }) {
      const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
      const found = await findNotices(site.db, { after, limit: limit + 1, issuer, isOpen: state === 'open' })
      const facts = await namingOf(site)
      return pageOf(found, {
        limit,
        cursorOf: ({ id }) => String(id),
        viewOf: (record) => noticeView(record, facts),
      })
    },
    async personNotices(reading) {
      const people = await knownPeople(site, reading)
      await noteAccess(site, { people, reading, what: 'notices' })
      const found = await findNotices(site.db, { people: people.map(({ number }) => number) })
      const facts = await namingOf(site)
      return { items: found.map((record) => noticeView(record, facts)) }
    },
  }
}

/** What a notice is shown with besides itself. */
async function namingOf({ db, clock }: Pick<SiteContext, 'db' | 'clock'>) {
  const [names, addresses] = await Promise.all([readPartyNames(db), readMemberAddresses(db)])
  return { names, addresses, now: clock.now() }
}

function missing(): never {
  throw new Fault('fault.internal', { what: 'Cannot show an erasure that was just read' })
}

/** What changes a person's data or how it is processed, short of erasing it. */
function changingActs(
  site: SiteContext,
): Pick<RightsActs, 'correctPerson' | 'restrictPerson' | 'findRestriction' | 'liftRestriction'> {
  return {
    async correctPerson({ issuer, person, by, dataSet, set, where }) {
      const number = await numberOf(site, { issuer, person })
      const request = { person: number, issuer, requestedBy: by, dataSet, set, where }
      const { correction, columns, rows, requestedBy, correctedAt, receipt, recipients } =
        await correctPerson(site, request)
      site.events.corrected({ correction, dataSet })
      // A birth date or a residence may be among it.
      await endGrantsOfBarred(site, [{ issuer, person }])
      return {
        correction,
        dataSet,
        columns: [...columns],
        rows,
        requestedBy,
        correctedAt: formatInstant(correctedAt),
        recipients: [...recipients],
        receipt,
      }
    },
    async restrictPerson({ issuer, person, by, reason }) {
      const number = await numberOf(site, { issuer, person })
      const made = await restrictPerson(site, { person: number, issuer, reason, requestedBy: by })
      site.events.restricted({ restriction: made.restriction })
      return restrictionView(made, site)
    },
    async findRestriction(named) {
      const found = await findRestriction(site.db, await numberOf(site, named))
      if (!found) throw notFound()
      return restrictionView(found, site)
    },
    async liftRestriction(named) {
      const lifted = await liftRestriction(site, { person: await numberOf(site, named), by: named.by })
      return restrictionView(lifted, site)
    },
  }
}

async function numberOf(
  site: SiteContext,
  { issuer, person }: { issuer: MemberId; person: string },
): Promise<number> {
  const [number = NOBODY] = await site.vault.findPeople([
    lookupDigest(site.keys.lookup, { issuer, personKey: person }),
  ])
  if (number === NOBODY) throw notFound()
  return number
}

function restrictionView(
  { restriction, issuer, reason, requestedBy, since, liftToldAt, liftsAt, receipts }: RestrictionRecord,
  { clock }: SiteContext,
): RestrictionView {
  const state = liftsAt === undefined ? 'in_force' : liftsAt > clock.now() ? 'lifting' : 'lifted'
  return {
    restriction,
    issuer,
    state,
    reason,
    requestedBy,
    since: formatInstant(since),
    ...(liftToldAt === undefined ? {} : { liftToldAt: formatInstant(liftToldAt) }),
    ...(liftsAt === undefined ? {} : { liftsAt: formatInstant(liftsAt) }),
    receipts: [...receipts],
  }
}
