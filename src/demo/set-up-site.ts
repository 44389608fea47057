import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { connectToSite, siteRoot } from '../cli/connect.ts'
import { readMemberProfile } from '../cli/member-profile.ts'
import type { Session } from '../cli/session.ts'
import { formatInstant, later } from '../kernel/clock.ts'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import type { Instant } from '../kernel/clock.ts'
import { digestOf } from '../kernel/digest.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import { evidenceSchema } from '../protocol/proof/evidence.ts'
import type { KeySet } from '../protocol/member.ts'
import { signEvidence } from '../protocol/proof/sign-evidence.ts'
import { openGuardianDesk } from '../sdk/guardians.ts'
import type { GuardianDesk } from '../sdk/guardians.ts'
import { openOfficer } from '../sdk/officer.ts'
import type { Officer } from '../sdk/officer.ts'
import type { WireContract } from '../sdk/officer-contracts.ts'
import type { SiteAdministration } from '../sdk/issuer.ts'
import { siteDirectory } from '../site/config.ts'
import { initSite } from '../site/init-site.ts'
import { networkUrl, sitePort, siteUrl } from './demo-addresses.ts'
import type { DemoSite } from './demo-parties.ts'
import { ISSUER } from './demo-parties.ts'
import { describeParties } from './describe-parties.ts'
import { childrenWithGuardians } from './demo-data.ts'
import type { SiteLoad } from './demo-data.ts'
import { guardianOf } from './generate-grants.ts'

/** How long evidence of the demonstration holds unless a scenario lets it run out. */
const EVIDENCE_DAYS = 60

/** Makes a site's directory and keys, and lays evidence of its place where it takes it up. */
export async function makeDemoSite(session: Session, site: DemoSite): Promise<KeySet> {
  const root = siteRoot(session, site.id)
  const { id, custodian, territory } = site
  const made = await initSite(root, {
    site: id,
    custodian,
    territory,
    networkUrl: networkUrl(session),
    port: sitePort(session, id),
  })
  const signed = await signDemoEvidence(session, {
    site,
    until: later(session.clock.now(), EVIDENCE_DAYS * 86_400_000),
  })
  await writeFile(join(root, 'evidence.jws'), `${signed}\n`, { mode: 0o600 })
  return made.keys
}

/** Signs evidence of where a site of the demonstration is, with the key of its operator. */
export async function signDemoEvidence(
  session: Session,
  { site, until }: { site: DemoSite; until: Instant },
): Promise<string> {
  const key = await readKeyFile(join(siteDirectory(siteRoot(session, site.id)).keys, 'operator.jwk'))
  const evidence = evidenceSchema.parse({
    site: site.id,
    kind: 'operator-attested',
    territory: site.territory,
    longitude: site.longitude,
    latitude: site.latitude,
    validFrom: formatInstant(session.clock.now()),
    validUntil: formatInstant(until),
  })
  return signEvidence(evidence, key)
}

/** The site as its operator and as the issuer see it. */
export interface SiteAccess {
  readonly operator: SiteAdministration
  readonly issuer: SiteAdministration
  /** The issuer's data-protection officer. */
  readonly officer: Officer
  /** The custodian’s. */
  readonly operatorOfficer: Officer
  readonly guardians: GuardianDesk
}

export async function accessSite(session: Session, { site }: { site: DemoSite }): Promise<SiteAccess> {
  const { administration: operator, client: operatorClient } = await connectToSite(session, {
    site: site.id,
    url: siteUrl(session, site.id),
  })
  const { administration: issuer, client } = await connectToSite(session, {
    site: site.id,
    url: siteUrl(session, site.id),
    as: ISSUER,
  })
  return {
    operator,
    issuer,
    officer: openOfficer(client),
    operatorOfficer: openOfficer(operatorClient),
    guardians: openGuardianDesk(client),
  }
}

/** Gives evidence that holds for weeks, unless such evidence is in force. */
export async function ensureEvidence(
  session: Session,
  { site, access }: { site: DemoSite; access: SiteAccess },
): Promise<void> {
  const current = await access.operator.evidence()
  const isLasting = current.state === 'valid' && (current.validUntil ?? 0) > session.clock.now() + 86_400_000
  if (isLasting) return
  await access.operator.giveEvidence(
    await signDemoEvidence(session, { site, until: later(session.clock.now(), EVIDENCE_DAYS * 86_400_000) }),
  )
}

/** Describes and loads what a site holds, and gives the made-up grants. Done again it changes nothing. */
export async function loadSite(
  session: Session,
  { load, access }: { load: SiteLoad; access: SiteAccess },
): Promise<void> {
  const { site, manifest, batch, file } = load
  const profile = await readMemberProfile(session.home, ISSUER)
  const keys = { signing: profile.signing.publicJwk, sealing: profile.sealing.publicJwk }
  await access.operator.registerIssuer({ member: ISSUER, keys })
  await access.officer.recordContract(demoContract(ISSUER))
  // The same from the other party is its confirmation.
  await access.operatorOfficer.recordContract(demoContract(ISSUER))
  await access.issuer.describe(manifest)
  const batches = await access.issuer.batches(manifest.dataSet)
  if (!batches.some((one) => one.batch === batch)) {
    const body = Readable.toWeb(createReadStream(file))
    await access.issuer.importFile({
      dataSet: manifest.dataSet,
      batch,
      format: 'csv',
      body,
      signal: session.signal,
    })
  }
  await describeParties(site, { issuer: access.officer, operator: access.operatorOfficer })
  await attachAssessments(access.officer)
  await giveGrantsOnce(session, { site, access, load })
}

/** Under what a custodian of the demonstration keeps an issuer's data; made up like the grants. Recorded again it stays as it is. */
export function demoContract(controller: string): WireContract {
  return {
    kind: 'processing',
    controller,
    reference: `Contract of the demonstration with ${controller}`,
    subject: 'Keeping data sets and computing answers to signed asks over them, as their manifests say',
    concludedOn: '2026-01-15',
    instructions: 'manifests that the issuer signs for',
    afterEnd: 'return',
  }
}

/** Impact assessments for uses of high risk; made up like the grants. Those that are attached stay as they are. */
export async function attachAssessments(officer: Officer): Promise<void> {
  const { missing } = await officer.assessments()
  for (const { dataSet, purpose } of missing) {
    await officer.attachAssessment({
      dataSet,
      purpose,
      kind: 'dpia',
      reference: `DPIA of the demonstration: ${dataSet}`,
      approvedBy: 'The officer of the demonstration',
      approvedOn: '2026-01-15',
      reviewBy: '2036-01-15',
    })
  }
}

/** The guardians are made up like the grants, and so is the document that says so. */
async function establishGuardian({ guardians }: SiteAccess, child: string): Promise<void> {
  const document = digestOf(`made up for the demonstration: who speaks for ${child}`)
  const facts = { guardian: guardianOf(child), authority: 'sole', document } as const
  await guardians.establish(child, facts).catch((error: unknown) => {
    // A run that was stopped here has established some already.
    if (!(error instanceof PeerRefusal && error.status === 409)) throw error
  })
}

/** 16,000 grants are given in the first run; a note beside the site's own files says so to later ones. */
async function giveGrantsOnce(
  session: Session,
  { site, access, load }: { site: DemoSite; access: SiteAccess; load: SiteLoad },
): Promise<void> {
  const note = join(siteRoot(session, site.id), 'demo-grants.txt')
  if ((await readFile(note, 'utf8').catch(whenMissing(''))) === load.grantsDigest) return
  for (const child of childrenWithGuardians(load)) await establishGuardian(access, child)
  await access.issuer.giveGrants(load.grants)
  await writeFile(note, load.grantsDigest, { mode: 0o600 })
}
