import { formatInstant } from '../../kernel/clock.ts'
import type { BasisRequest, BasisState, BasisView } from '../../protocol/law/basis-record.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { isAssessed } from '../assessments/interest-prevails.ts'
import { basesCovering } from '../consent/bases-covering.ts'
import { readBases, wireFacts } from '../consent/basis-store.ts'
import type { StoredBasis } from '../consent/basis-store.ts'
import { changeBasisPeople, endBasis, recordBasis } from '../consent/change-bases.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import type { AssessedInterest } from '../consent/decide-basis.ts'
import { noteAccess } from '../rights/note-access.ts'
import { knownPeople } from '../rights/person-reading.ts'
import type { PersonReading } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { missingBases } from './missing-bases.ts'
import type { MissingBasis } from './missing-bases.ts'

/** Records of legal bases as the officer and the people see them. `issuer`: only those of that issuer's data sets. */
export interface BasisActs {
  listBases(scope: { issuer?: string | undefined }): Promise<{ items: BasisView[]; missing: MissingBasis[] }>
  recordBasis(request: BasisRequest, change: ChangeFacts): Promise<BasisView>
  /** `undefined` when there is none, or none in the scope. */
  endBasis(
    request: { issuer?: string | undefined; basis: string; reason: string },
    change: ChangeFacts,
  ): Promise<BasisView | undefined>
  changeBasisPeople(
    request: { issuer: string; basis: string; add: readonly string[]; remove: readonly string[] },
    change: ChangeFacts,
  ): Promise<BasisView | undefined>
  /** Those that cover one person; the look is noted. */
  personBases(reading: PersonReading): Promise<{ items: BasisView[] }>
}

export function basisActs(site: SiteContext): BasisActs {
  const viewOf = (basis: StoredBasis) => basisView(site, basis)
  const find = async (id: string, issuer: string | undefined) =>
    (await readBases(site.db, { ids: [id] })).find((basis) => isOf(site, basis, issuer))
  const findView = async (id: string, issuer: string | undefined) => {
    const found = await find(id, issuer)
    return found && viewOf(found)
  }
  return {
    async listBases({ issuer }) {
      const own = (await readBases(site.db)).filter((basis) => isOf(site, basis, issuer))
      return { items: own.map(viewOf), missing: missingOf(site, issuer) }
    },
    async recordBasis(request, change) {
      const id = site.ids.next('basis')
      await recordBasis({ ...site.consent, isAssessed: assessedAt(site) }, { id, request }, change)
      await site.log.publish()
      const view = await findView(id, undefined)
      if (!view) throw new TypeError('A basis that was just recorded is not there')
      return view
    },
    async endBasis({ issuer, basis, reason }, change) {
      if (!(await find(basis, issuer))) return undefined
      await endBasis(site.consent, { basis, reason }, change)
      await site.log.publish()
      return findView(basis, issuer)
    },
    async changeBasisPeople({ issuer, basis, add, remove }, change) {
      if (!(await find(basis, issuer))) return undefined
      await changeBasisPeople(site.consent, { basis, add, remove }, change)
      await site.log.publish()
      return findView(basis, issuer)
    },
    async personBases(reading) {
      const people = await knownPeople(site, reading)
      await noteAccess(site, { people, reading, what: 'bases' })
      const numbers = people.map(({ number }) => number)
      const ids = (await basesCovering(site, numbers)).map(({ id }) => id)
      return { items: (await readBases(site.db, { ids })).map(viewOf) }
    },
  }
}

/** Whether an assessment carries an interest, by what is attached at a site. */
export function assessedAt({ assessments }: Pick<SiteContext, 'assessments'>): AssessedInterest {
  return (id, use) => isAssessed(assessments, id, use)
}

/** A record's issuer is that of its data sets; one of a data set that is no longer described is the operator's to see. */
function isOf({ manifests }: SiteContext, { facts }: StoredBasis, issuer: string | undefined): boolean {
  return issuer === undefined || facts.dataSets.some((dataSet) => manifests().get(dataSet)?.issuer === issuer)
}

function missingOf(site: SiteContext, issuer: string | undefined): MissingBasis[] {
  const own = [...site.manifests().values()].filter(
    (manifest) => issuer === undefined || manifest.issuer === issuer,
  )
  return own.flatMap((manifest) => [
    ...missingBases(manifest, {
      bases: site.mirror.basesOf(manifest.dataSet),
      isAssessed: assessedAt(site),
      now: site.clock.now(),
    }),
  ])
}

/** A record in the form of the door. */
function basisView(site: Pick<SiteContext, 'clock' | 'assessments'>, basis: StoredBasis): BasisView {
  const { id, facts, recordedAt, recordedBy, end, listed } = basis
  const view = {
    basis: id,
    recordedAt: formatInstant(recordedAt),
    recordedBy,
    ...(end === undefined ? {} : { endedAt: formatInstant(end.at), endReason: end.reason }),
    state: basisState(site, basis),
    ...wireFacts(facts, formatInstant),
    people: facts.people,
    ...(listed === undefined ? {} : { listed }),
  }
  // Its facts were held against the schema of their kind when they were read.
  return view as BasisView
}

function basisState(
  site: Pick<SiteContext, 'clock' | 'assessments'>,
  { facts, end }: StoredBasis,
): BasisState {
  const now = site.clock.now()
  if (end !== undefined) return 'ended'
  if (facts.validUntil <= now) return 'expired'
  if ((facts.validFrom ?? now) > now) return 'not_yet'
  if (facts.kind !== 'legitimate_interest') return 'in_force'
  const isCarried = facts.dataSets.every((dataSet: DataSetId) =>
    facts.purposes.every((purpose) =>
      isAssessed(site.assessments, facts.assessment, { dataSet, purpose, now }),
    ),
  )
  return isCarried ? 'in_force' : 'unassessed'
}
