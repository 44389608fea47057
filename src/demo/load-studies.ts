import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { connectToSite, siteRoot } from '../cli/connect.ts'
import { WrongUse } from '../cli/failures.ts'
import { readMemberProfile } from '../cli/member-profile.ts'
import type { Session } from '../cli/session.ts'
import { digestOf } from '../kernel/digest.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import type { SiteAdministration, WireGrant } from '../sdk/issuer.ts'
import { openOfficer } from '../sdk/officer.ts'
import { recordBases } from './record-bases.ts'
import { attachAssessments, demoContract } from './set-up-site.ts'
import { siteUrl } from './demo-addresses.ts'
import { GRANTS_SEED } from './generate-grants.ts'
import { generateStudyGrants } from './studies/generate-study-grants.ts'
import { findStudies, readStudyManifest } from './studies/studies.ts'
import type { Study, StudyDataSet } from './studies/studies.ts'
import { SUPPORT_CASE } from './studies/study-kinds.ts'

/** The studies in a directory that was named, or a sentence that there are none. */
export function studiesIn(directory: string | undefined): readonly Study[] {
  if (directory === undefined) return []
  const studies = findStudies(directory)
  if (studies.length === 0)
    throw new WrongUse(`Cannot use "${directory}": none of the studies is there whole; see src/demo/studies`)
  return studies
}

/** What was loaded of a study, for the line that says so. */
export interface LoadedStudy {
  readonly study: Study
  readonly rows: number
}

/** Describes and imports a study at its site and gives the made-up grants. Done again it changes nothing. */
export async function loadStudy(
  session: Session,
  { study, directory }: { study: Study; directory: string },
): Promise<LoadedStudy> {
  const url = siteUrl(session, study.site)
  const { administration: operator, client: operatorClient } = await connectToSite(session, {
    site: study.site,
    url,
  })
  const { administration: issuer, client } = await connectToSite(session, {
    site: study.site,
    url,
    as: study.issuer,
  })
  const { signing, sealing } = await readMemberProfile(session.home, study.issuer)
  await operator.registerIssuer({
    member: study.issuer,
    keys: { signing: signing.publicJwk, sealing: sealing.publicJwk },
  })
  const officer = openOfficer(client)
  await officer.recordContract(demoContract(study.issuer))
  await openOfficer(operatorClient).recordContract(demoContract(study.issuer))
  for (const source of study.dataSets) await importOnce(session, { source, directory, issuer })
  await attachAssessments(officer)
  await recordBases(officer)
  await giveGrantsOnce(session, { study, directory, issuer })
  const names = new Set(study.dataSets.map(({ dataSet }) => dataSet))
  const views = await issuer.dataSets()
  return {
    study,
    rows: views.filter(({ dataSet }) => names.has(dataSet)).reduce((sum, { rows }) => sum + rows, 0),
  }
}

async function importOnce(
  session: Session,
  { source, directory, issuer }: { source: StudyDataSet; directory: string; issuer: SiteAdministration },
): Promise<void> {
  const { dataSet, file } = source
  const { wire } = await readStudyManifest(dataSet)
  await issuer.describe(wire)
  const path = join(directory, file)
  // Name, size and time tell a file apart well enough here; reading it whole first would cost as much as sending it.
  const { size, mtimeMs } = await stat(path)
  const batch = digestOf(`${file} ${size} ${mtimeMs}`).slice(0, 40)
  if ((await issuer.batches(dataSet)).some((one) => one.batch === batch)) return
  const body = Readable.toWeb(createReadStream(path))
  await issuer.importFile({ dataSet, batch, format: 'csv', body, signal: session.signal })
}

/** Grants without an end are given in the first run; that of the support case lives a day and is given in every run. */
async function giveGrantsOnce(
  session: Session,
  { study, directory, issuer }: { study: Study; directory: string; issuer: SiteAdministration },
): Promise<void> {
  const note = join(siteRoot(session, study.site), `demo-grants-${study.name}.txt`)
  const wanted = `${GRANTS_SEED} ${study.name}`
  const isDone = (await readFile(note, 'utf8').catch(whenMissing(''))) === wanted
  const hasSupportCase = study.dataSets.some(({ dataSet }) => dataSet === SUPPORT_CASE.dataSet)
  if (isDone && !hasSupportCase) return
  let part: WireGrant[] = []
  for await (const grant of generateStudyGrants(study, { directory, now: session.clock.now() })) {
    if (isDone && grant.validUntil === undefined) continue
    part.push(grant)
    if (part.length === GRANTS_AT_ONCE) {
      await issuer.giveGrants(part)
      part = []
    }
  }
  if (part.length > 0) await issuer.giveGrants(part)
  await writeFile(note, wanted, { mode: 0o600 })
}

const GRANTS_AT_ONCE = 10_000
