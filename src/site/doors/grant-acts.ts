import { formatInstant } from '../../kernel/clock.ts'
import { money } from '../../kernel/money.ts'
import { isCurrency } from '../../kernel/currency.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { usesOf } from '../asks/answer-store.ts'
import type { UseRecord } from '../asks/answer-store.ts'
import { giveGrants } from '../consent/give-grants.ts'
import { listGrants } from '../consent/list-grants.ts'
import type { ListedGrant } from '../consent/list-grants.ts'
import { grantName, revokeGrants } from '../consent/revoke-grants.ts'
import { listDataSets } from '../datasets/list-data-sets.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/lookup-digest.ts'
import { NOBODY } from '../vault/vault.ts'
import { pageOf } from './page-of.ts'
import type { GrantView, SiteActs, UseView } from './site-acts.ts'

/** Grants, and the uses of one person, in the forms of the door. */
export function grantActs(
  site: SiteContext,
): Pick<SiteActs, 'listGrants' | 'giveGrants' | 'revokeGrants' | 'listUses'> {
  return {
    async listGrants({ cursor, limit, issuer, dataSet, person }) {
      const own = await dataSetsOf(site, issuer)
      const dataSets = dataSet === undefined ? own : own.filter((name) => name === dataSet)
      const number = person === undefined ? undefined : await numberOf(site, { person, dataSets })
      if (number === NOBODY || dataSets.length === 0) return { items: [] }
      const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
      const found = await listGrants(site.db, { after, limit: limit + 1, person: number, dataSets })
      return pageOf(found, { limit, cursorOf: ({ sequence }) => String(sequence), viewOf: grantView })
    },
    async giveGrants(grants, change) {
      const given = await giveGrants(site.consent, grants, change)
      site.events.grantsChanged({ given: given.changed, revoked: 0 })
      return given
    },
    async revokeGrants(revocations, change) {
      const revoked = await revokeGrants(site.consent, revocations, change)
      site.events.grantsChanged({ given: 0, revoked: revoked.changed })
      return revoked
    },
    async listUses({ issuer, person, cursor, limit }) {
      const [number] = await site.vault.findPeople([
        lookupDigest(site.keys.lookup, { issuer, personKey: person }),
      ])
      if (number === undefined || number === NOBODY) return { items: [] }
      const own = new Set(await dataSetsOf(site, issuer))
      const skip = cursor !== undefined && /^\d{1,9}$/.test(cursor) ? Number(cursor) : 0
      const uses = (await usesOf(site.db, { person: number, limit: skip + limit + 1 })).filter(
        ({ dataSet }) => own.has(dataSet),
      )
      const page = pageOf(uses.slice(skip), { limit, cursorOf: () => String(skip + limit), viewOf: useView })
      return page
    },
  }
}

async function dataSetsOf(site: SiteContext, issuer: string | undefined): Promise<readonly DataSetId[]> {
  const all = await listDataSets(site)
  return all
    .filter(({ manifest }) => issuer === undefined || manifest.issuer === issuer)
    .map(({ dataSet }) => dataSet)
}

async function numberOf(
  site: SiteContext,
  { person, dataSets }: { person: string; dataSets: readonly DataSetId[] },
): Promise<number> {
  for (const dataSet of dataSets) {
    const number = (await site.consent.findPeople(dataSet, [person]))[0]
    if (number !== undefined && number >= 0) return number
  }
  return NOBODY
}

function grantView({ sequence, terms, validFrom, validUntil, givenAt, revokedAt }: ListedGrant): GrantView {
  return {
    grant: grantName(sequence),
    ...terms,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
    givenAt: formatInstant(givenAt),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
  }
}

/** The person's own share is an equal part of the subjects' share, rounded down; what is left over stays in the pool. */
function useView(use: UseRecord): UseView {
  const people = BigInt(Math.max(1, use.people.count()))
  const earned = isCurrency(use.currency) ? money(use.subjectsMinor / people, use.currency) : undefined
  return {
    time: formatInstant(use.time),
    acquirer: use.acquirer,
    purpose: use.purpose,
    mode: use.mode,
    dataSet: use.dataSet,
    columns: [...use.columns],
    reason: use.reason,
    ...(earned === undefined ? {} : { earned: wireMoney(earned) }),
    receipt: use.receiptSequence,
  }
}
