import { Fault } from '../../kernel/faults.ts'
import { nameOfPerson } from './on-behalf.ts'
import type { Door } from '../../kernel/http/door.ts'
import type { GrantRequest } from '../../protocol/consent/grant.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { notFound, requireSubjectSide } from './may.ts'
import type { ChangeBy, SiteActs, SiteCaller } from './site-acts.ts'
import { byOf, speakFor } from './speak-for.ts'

/**
 * `/v1/grants`: given by a person, a guardian for a child, or the issuer on behalf of its people. The operator may see and revoke, never
 * give: a custodian that could make grants would be its own licence.
 */
export function serveGrants(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.listGrants, async ({ caller, query: { person, reason, ...query } }) => {
    const speaker = person === undefined ? caller : await speakFor(caller, { ref: person }, acts)
    if (speaker.kind === 'person' || speaker.kind === 'guardian') {
      const { identities } = speaker
      const named = identities.filter((one) => person === undefined || one.person === person)
      if (named.length === 0) throw notFound()
      return acts.listGrants({ ...query, reading: { identities: named, by: byOf(speaker) } })
    }
    return acts.listGrants({
      ...query,
      issuer: caller.kind === 'issuer' ? caller.member : undefined,
      ...(person === undefined ? {} : { reading: { person, by: byOf(caller), reason } }),
    })
  })
  door.serve(SITE_API.giveGrants, async ({ caller, body, idempotencyKey }) => {
    requireSubjectSide(caller)
    const grants = 'grants' in body ? body.grants : [body]
    const speaker = await speakerAbout(caller, { acts, about: grants })
    requireOwnVoice(speaker, grants)
    return acts.giveGrants(grants, changeBy(speaker, idempotencyKey, acts))
  })
  door.serve(SITE_API.previewGrant, async ({ caller, body }) => {
    if (caller.kind !== 'operator') {
      const found = await acts.findDataSet(body.dataSet)
      if (!found || !knows(requireSubjectSide(caller), found.manifest.issuer)) throw notFound()
    }
    return acts.previewGrant(body)
  })
  door.serve(SITE_API.refuseGrant, async ({ caller, body, idempotencyKey }) => {
    requireSubjectSide(caller)
    const speaker = await speakerAbout(caller, { acts, about: [body] })
    return acts.refuseGrant(body, changeBy(speaker, idempotencyKey, acts))
  })
  door.serve(SITE_API.revokeGrants, async ({ caller, body, idempotencyKey }) => {
    const revocations = 'revocations' in body ? body.revocations : [body]
    const speaker = await speakerAbout(caller, { acts, about: revocations })
    return acts.revokeGrants(revocations, changeBy(speaker, idempotencyKey, acts))
  })
}

/** Whoever signs in as the person speaks as the person, a guardian as guardian: neither puts words into the other's mouth. */
function requireOwnVoice(speaker: SiteCaller, grants: readonly GrantRequest[]): void {
  if (speaker.kind !== 'person' && speaker.kind !== 'guardian') return
  const voice = speaker.kind === 'person' ? 'self' : 'guardian'
  if (grants.every(({ givenBy }) => givenBy === voice)) return
  throw new Fault('fault.forbidden', {
    what: voice === 'self' ? 'A person gives grants as "self"' : 'A guardian gives grants as "guardian"',
  })
}

/** Whether a data set is of the issuer that calls, or of one that knows the person who calls. */
function knows(caller: ReturnType<typeof requireSubjectSide>, issuer: MemberId): boolean {
  return caller.kind === 'issuer'
    ? caller.member === issuer
    : caller.identities.some((identity) => identity.issuer === issuer)
}

/** The key of a person is in nobody's record of changes; idempotency keys are kept apart by caller. */
export function changeBy(
  speaker: SiteCaller,
  key: string | undefined,
  { requestMark }: Pick<SiteActs, 'requestMark'>,
): ChangeBy {
  const by = byOf(speaker)
  const change = speaker.kind === 'guardian' ? { by, guardianship: speaker.guardianship } : { by }
  if (key === undefined) return change
  const who = speaker.kind === 'guardian' ? speaker.guardian : speaker
  const scope = 'person' in who ? requestMark(nameOfPerson(who)) : by
  return { ...change, idempotencyKey: `${scope} ${key}` }
}

interface AboutPeople {
  readonly acts: SiteActs
  readonly about: readonly { readonly dataSet: DataSetId; readonly person: string }[]
}

/** As whom a caller speaks about people: as themselves, or as the guardian of the one child that is named. */
async function speakerAbout(caller: SiteCaller, { acts, about }: AboutPeople): Promise<SiteCaller> {
  const [first] = about
  const found = first && (await acts.findDataSet(first.dataSet))
  const speaker = found
    ? await speakFor(caller, { ref: first.person, issuer: found.manifest.issuer }, acts)
    : caller
  await requireOwnPeople(speaker, { acts, about })
  return speaker
}

/** Every data set named is of the caller's issuer, and a person speaks for nobody else. */
async function requireOwnPeople(speaker: SiteCaller, { acts, about }: AboutPeople): Promise<void> {
  for (const [dataSet, ofDataSet] of Map.groupBy(about, (one) => one.dataSet)) {
    const found = await acts.findDataSet(dataSet)
    if (!found) throw notFound()
    const { issuer } = found.manifest
    if (speaker.kind === 'issuer' && speaker.member !== issuer) throw notFound()
    if (speaker.kind !== 'person' && speaker.kind !== 'guardian') continue
    const self = speaker.identities.find((identity) => identity.issuer === issuer)
    if (!self) throw notFound()
    if (ofDataSet.some(({ person }) => person !== self.person)) {
      throw new Fault('fault.forbidden', {
        what: 'A person may only touch their own grants, and those of one child for whom they speak',
      })
    }
  }
}
