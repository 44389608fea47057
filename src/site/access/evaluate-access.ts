import { digestOfJson } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { AccessDecision, AccessRequest } from '../../protocol/http/access-api.ts'
import { REASONS, declined } from '../../protocol/reason.ts'
import type { Decline, Outcome } from '../../protocol/reason.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { isCustodian } from '../asks/is-custodian.ts'
import { eligibilityContext } from '../asks/use-of-people.ts'
import { unassessedRisk } from '../assessments/unassessed-risk.ts'
import { contractLack } from '../contracts/contract-in-force.ts'
import { noteAccess } from '../rights/note-access.ts'
import { findKnownPeople } from '../rights/person-reading.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import type { KnownAcquirers } from './known-acquirers.ts'
import { admitAccess, decideAccess, decideKeeping } from './decide-access.ts'
import type { AccessFacts, AllowedAccess } from './decide-access.ts'
import { readQuestion } from './read-question.ts'
import type { AccessQuestion, AskedAccess } from './read-question.ts'

/** What deciding needs: the site, and whom it may be asked about. */
export interface AccessParts {
  readonly site: SiteContext
  readonly acquirers: KnownAcquirers
}

/** Who asks for a decision. */
export interface Asker {
  /** Whose data sets it may ask about, and by whose keys it names people; absent: any data set, and no person. */
  readonly issuer?: MemberId | undefined
  /** As the person reads it: `enforcement:NAME` or `issuer:NAME`. */
  readonly by: string
}

/** One evaluation: what was asked, where that was understood, and what was decided. */
export interface Evaluated {
  readonly question?: AccessQuestion | undefined
  /** The terms that it was decided by; absent where there are none, or none for this asker. */
  readonly manifest?: Manifest | undefined
  readonly outcome: Outcome<Partial<AllowedAccess>>
}

/**
 * Decides one use by the same checks, grants and bases that an ask is decided by, now, and without running anything. A look at
 * one person's consent is noted before it is answered: whoever it was sees it.
 */
export async function evaluateAccess(
  parts: AccessParts,
  request: AccessRequest,
  asker: Asker,
): Promise<Evaluated> {
  const read = readQuestion(request)
  if (!read.ok) return { outcome: read }
  const question = read.value
  const { site } = parts
  const manifest = manifestFor(site, { ...question, asker })
  const outcome =
    question.kind === 'use'
      ? await decideUse(parts, { question, manifest, asker })
      : decideOwnKeeping(site, { ...question, manifest })
  return { question, manifest, outcome }
}

/** A decision in its wire form: why, by which version of terms and notice, and what a release would be held to. */
export function accessDecision({ manifest, outcome }: Evaluated): AccessDecision {
  const terms = manifest && {
    legalBasis: manifest.legalBasis,
    noticeVersion: consentTextDigest(manifest),
    policy: digestOfJson(manifest),
  }
  if (!outcome.ok) {
    const { code, detail } = outcome.error
    return { decision: false, context: { reason: code, detail: detail ?? REASONS[code].forAsker, ...terms } }
  }
  const { bases = [], minimumGroup, columns } = outcome.value
  return {
    decision: true,
    context: {
      reason: 'approved',
      ...terms,
      ...(bases.length === 0 ? {} : { bases }),
      ...(columns ? { obligations: { minimumGroup, columns } } : {}),
    },
  }
}

/** What is offered, to whoever may know of it. Of somebody else's data set nothing is said, not even that it is there. */
function manifestFor(
  site: SiteContext,
  { kind, dataSet, asker }: { kind: AccessQuestion['kind']; dataSet: DataSetId; asker: Asker },
): Manifest | undefined {
  if (kind === 'use' && !site.isOffering()) return undefined
  const manifest = site.manifests().get(dataSet)
  return asker.issuer === undefined || manifest?.issuer === asker.issuer ? manifest : undefined
}

function decideOwnKeeping(
  site: SiteContext,
  { custodian, action, manifest }: { custodian: string; action: string; manifest: Manifest | undefined },
): Outcome<Partial<AllowedAccess>> {
  if (custodian !== site.custodian) return declined('declined.member_unknown')
  // An intermediary does not use the data for anything of its own (Data Governance Act, Art. 12(a)).
  if (action !== 'store') return declined('declined.custodian')
  if (!manifest) return declined('declined.no_route')
  const now = site.clock.now()
  const evidence = site.evidence.current(now)?.evidence
  const kept = decideKeeping({ manifest, evidence, removedGrounds: site.removedGrounds(), now })
  return kept.ok ? ok({}) : kept
}

interface AskedUse {
  readonly question: AskedAccess
  readonly manifest: Manifest | undefined
  readonly asker: Asker
}

async function decideUse({ site, acquirers }: AccessParts, asked: AskedUse): Promise<Outcome<AllowedAccess>> {
  const { question, manifest, asker } = asked
  if (question.person !== undefined && asker.issuer === undefined)
    return declined('declined.no_route', OF_ONE)
  const now = site.clock.now()
  const acquirer = await acquirers.find(question.acquirer)
  if (!acquirer) return declined('declined.member_unknown')
  const facts: AccessFacts = {
    acquirer,
    manifest,
    isCustodian: isCustodian(acquirer, site),
    unassessedRisk: manifest && (await unassessedRisk(site, { manifest, purpose: question.purpose })),
    contractLack: manifest && contractLack(site, manifest, now),
    evidence: site.evidence.current(now)?.evidence,
    removedGrounds: site.removedGrounds(),
    now,
  }
  const columns = admitAccess(question, facts)
  if (!columns.ok) return columns
  if (!manifest) return declined('declined.no_route')
  const free = site.holds.check(await site.groups.groupOf(acquirer), question.mode)
  if (!free.ok) return free
  const known = await personOf(site, { question, manifest })
  const context = await eligibilityContext(site, { dataSet: manifest.dataSet, now })
  const outcome = decideAccess(
    { asked: question, columns: columns.value, person: known?.number },
    { context, facts, manifest },
  )
  if (known) await noteLook(site, { question, known, asker, isAllowed: outcome.ok })
  return outcome
}

const OF_ONE: Omit<Decline, 'code'> = {
  detail: 'Only an enforcement point of the issuer that knows a person asks about that person',
}

async function personOf(
  site: SiteContext,
  { question: { person }, manifest: { issuer } }: { question: AskedAccess; manifest: Manifest },
): Promise<KnownPerson | undefined> {
  if (person === undefined) return undefined
  const [known] = await findKnownPeople(site, [{ issuer, person }])
  return known
}

/** What was asked and answered is told to the person alone: it is sealed under their key. */
async function noteLook(
  site: SiteContext,
  {
    question,
    known,
    asker,
    isAllowed,
  }: { question: AskedAccess; known: KnownPerson; asker: Asker; isAllowed: boolean },
): Promise<void> {
  const { action, acquirer, dataSet, purpose, mode } = question
  const reason = `may ${acquirer} ${action} "${dataSet}" for ${purpose} in mode ${mode}: ${isAllowed ? 'yes' : 'no'}`
  await noteAccess(site, { people: [known], reading: { by: asker.by, reason }, what: 'consent' })
}
