import { later } from '../../kernel/clock.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import { endedColumns } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { isAssessed } from '../assessments/interest-prevails.ts'
import { unassessedRisk } from '../assessments/unassessed-risk.ts'
import { contractLack } from '../contracts/contract-in-force.ts'
import { decideEligibility } from '../consent/eligibility.ts'
import { admit } from './admission-checks.ts'
import type { SiteParts } from './site-parts.ts'

/** Columns of one number's rows, and who would be given them for what. */
export interface RowsUse {
  readonly number: number
  readonly dataSet: DataSetId
  readonly columns: readonly string[]
  readonly acquirer: MemberRecord
  readonly purpose: string
  readonly releaseTo: string
}

const MINUTE_MS = 60_000

/**
 * Whether an ask for these rows with these columns would still be answered now: the same checks of place, purpose, mode and
 * retention, and the own grant of everybody whom they are about.
 */
export async function mayStillHaveRows(parts: SiteParts, use: RowsUse): Promise<boolean> {
  const { number, dataSet, columns, acquirer, purpose } = use
  const manifest = parts.manifests().get(dataSet)
  if (!manifest || !parts.isOffering()) return false
  const now = parts.clock.now()
  const ended = new Set(endedColumns(manifest, now))
  if (columns.some((column) => ended.has(column))) return false
  const decline = admit({
    manifest,
    evidence: parts.evidence.current(now)?.evidence,
    isCustodian: false,
    removedGrounds: parts.removedGrounds(),
    unassessedRisk: await unassessedRisk(parts, { manifest, purpose }),
    contractLack: contractLack(parts, manifest, now),
    now,
    ask: {
      expires: later(now, MINUTE_MS),
      releaseTo: { jurisdiction: use.releaseTo },
      purpose,
      legalBasis: manifest.legalBasis,
      mode: 'rows',
    },
    acquirer,
  })
  if (decline) return false
  const eligibility = decideEligibility(
    {
      mirror: parts.mirror,
      cache: parts.eligibilityCache,
      siteCountry: parts.territory,
      principals: await parts.vault.principals(),
      people: await parts.vault.people(dataSet),
      restricted: parts.restricted,
      isAssessed: (id, of) => isAssessed(parts.assessments, id, of),
    },
    {
      acquirer: acquirer.id,
      acquirerClass: acquirer.acquirerClass,
      purpose,
      legalBasis: manifest.legalBasis,
      mode: 'rows',
      subjectsPriceMinor: (manifest.tariff.per100PeopleMinor / 100) * (manifest.splits.subjects / 10_000),
      minimumGroup: 1,
      now,
    },
    { manifest, columns },
  )
  if (!eligibility.ok || !eligibility.value.isEnough) return false
  const people = (await parts.vault.households()).placesOf(number).filter((person) => person !== undefined)
  return people.every((person) => eligibility.value.eligible.has(person))
}
