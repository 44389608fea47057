import { formatInstant } from '../../kernel/clock.ts'
import { basisSource } from '../../protocol/law/basis-record.ts'
import type { GrantState } from '../../protocol/consent/grant.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import { basesCovering } from '../consent/bases-covering.ts'
import { judgeGrants } from '../consent/judge-grants.ts'
import { listGrants } from '../consent/list-grants.ts'
import type { ListedGrant } from '../consent/list-grants.ts'
import { objectionsOf } from '../consent/objection-store.ts'
import { refusalsOf } from '../consent/refuse-grant.ts'
import { grantName } from '../consent/revoke-grants.ts'
import type { SiteContext } from '../site-context.ts'
import type { KnownPerson } from './person-reading.ts'

/** Every grant that an export has, given or taken back, in the order in which they were given, and whether it counts now. */
export async function* grantRecords(
  site: SiteContext,
  { number }: KnownPerson,
): AsyncGenerator<readonly ExportRecord[]> {
  for (let after = 0; ;) {
    const page = await listGrants(site.db, { after, limit: GRANT_PAGE, people: [number] })
    const states = await judgeGrants(site, page)
    yield page.map((grant, index) => grantRecord(grant, { site: site.site, state: states[index] }))
    after = page.at(-1)?.sequence ?? after
    if (page.length < GRANT_PAGE) return
  }
}

const GRANT_PAGE = 500

function grantRecord(
  grant: ListedGrant,
  { site, state }: { site: string; state: GrantState | undefined },
): ExportRecord {
  const { sequence, terms, validFrom, validUntil, givenAt, givenBy, guardianship, receipt } = grant
  const { revokedAt, revokedBy, revocationReceipt } = grant
  return {
    kind: 'grant',
    site,
    grant: grantName(sequence),
    ...terms,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
    givenAt: formatInstant(givenAt),
    enteredBy: givenBy,
    ...(guardianship === undefined ? {} : { guardianship }),
    receipt,
    ...(revokedBy === undefined ? {} : { revokedBy }),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
    ...(revocationReceipt === undefined ? {} : { revocationReceipt }),
    ...(state === undefined ? {} : { state }),
  }
}

/** What the person refused to grant. */
export async function refusalRecords(
  { db, site }: SiteContext,
  { number }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await refusalsOf(db, [number])).map(({ terms, refusedAt, refusedBy, receipt }): ExportRecord => ({
    kind: 'refusal',
    site,
    ...terms,
    refusedAt: formatInstant(refusedAt),
    enteredBy: refusedBy,
    receipt,
  }))
}

/** What the person objected to (GDPR Art. 21), also what they have withdrawn. */
export async function objectionRecords(
  { db, site }: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await objectionsOf(db, [number])).map(
    ({ purpose, dataSet, madeAt, madeBy, receipt, withdrawnAt }): ExportRecord => ({
      kind: 'objection',
      site,
      issuer,
      purpose,
      ...(dataSet === undefined ? {} : { dataSet }),
      madeAt: formatInstant(madeAt),
      enteredBy: madeBy,
      receipt,
      ...(withdrawnAt === undefined ? {} : { withdrawnAt: formatInstant(withdrawnAt) }),
    }),
  )
}

/** Other legal bases than consent on which data sets with the person are used. */
export async function basisRecords(
  site: SiteContext,
  { number }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  const covering = await basesCovering(site, [number])
  return covering.map(({ id, facts, recordedAt, recordedBy }): ExportRecord => ({
    kind: 'basis',
    site: site.site,
    basis: id,
    basisKind: facts.kind,
    reference: basisSource(facts),
    dataSets: [...facts.dataSets],
    purposes: [...facts.purposes],
    validFrom: formatInstant(facts.validFrom ?? recordedAt),
    validUntil: formatInstant(facts.validUntil),
    recordedAt: formatInstant(recordedAt),
    recordedBy,
  }))
}
