import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/site-api.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { notFound, requireSubjectSide } from './may.ts'
import type { ChangeBy, SiteActs, SiteCaller } from './site-acts.ts'

/**
 * `/v1/grants`: given by a person, or by the issuer on behalf of its people. The operator may see and revoke, never
 * give: a custodian that could make grants would be its own licence.
 */
export function serveGrants(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.listGrants, ({ caller, query: { person, reason, ...query } }) => {
    if (caller.kind === 'person') {
      const { identities } = caller
      const named = identities.filter((one) => person === undefined || one.person === person)
      if (named.length === 0) throw notFound()
      return acts.listGrants({ ...query, reading: { identities: named, by: 'person' } })
    }
    const by = caller.kind === 'issuer' ? `issuer:${caller.member}` : 'operator'
    return acts.listGrants({
      ...query,
      issuer: caller.kind === 'issuer' ? caller.member : undefined,
      ...(person === undefined ? {} : { reading: { person, by, reason } }),
    })
  })
  door.serve(SITE_API.giveGrants, async ({ caller, body, idempotencyKey }) => {
    requireSubjectSide(caller)
    const grants = 'grants' in body ? body.grants : [body]
    await requireOwnPeople(caller, { acts, about: grants })
    // Whoever signs in as the person speaks as the person: that they are the guardian is the issuer's to say.
    if (caller.kind === 'person' && grants.some(({ givenBy }) => givenBy !== 'self')) {
      throw new Fault('fault.forbidden', { what: 'A person gives grants as "self"' })
    }
    return acts.giveGrants(grants, changeBy(caller, idempotencyKey))
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
    await requireOwnPeople(caller, { acts, about: [body] })
    return acts.refuseGrant(body, changeBy(caller, idempotencyKey))
  })
  door.serve(SITE_API.revokeGrants, async ({ caller, body, idempotencyKey }) => {
    const revocations = 'revocations' in body ? body.revocations : [body]
    await requireOwnPeople(caller, { acts, about: revocations })
    return acts.revokeGrants(revocations, changeBy(caller, idempotencyKey))
  })
}

/** Whether a data set is of the issuer that calls, or of one that knows the person who calls. */
function knows(caller: ReturnType<typeof requireSubjectSide>, issuer: MemberId): boolean {
  return caller.kind === 'issuer'
    ? caller.member === issuer
    : caller.identities.some((identity) => identity.issuer === issuer)
}

/** The key of a person is in nobody's record of changes; idempotency keys are kept apart by caller. */
export function changeBy(caller: SiteCaller, key: string | undefined): ChangeBy {
  const by = caller.kind === 'issuer' ? `issuer:${caller.member}` : caller.kind
  if (key === undefined) return { by }
  const scope = caller.kind === 'person' ? digestOf(`${caller.issuer}\0${caller.person}`) : by
  return { by, idempotencyKey: `${scope} ${key}` }
}

/** Every data set named is of the caller's issuer, and a person speaks for nobody else. */
async function requireOwnPeople(
  caller: SiteCaller,
  {
    acts,
    about,
  }: { acts: SiteActs; about: readonly { readonly dataSet: DataSetId; readonly person: string }[] },
): Promise<void> {
  for (const [dataSet, ofDataSet] of Map.groupBy(about, (one) => one.dataSet)) {
    const found = await acts.findDataSet(dataSet)
    if (!found) throw notFound()
    const { issuer } = found.manifest
    if (caller.kind === 'issuer' && caller.member !== issuer) throw notFound()
    if (caller.kind !== 'person') continue
    const self = caller.identities.find((identity) => identity.issuer === issuer)
    if (!self) throw notFound()
    if (ofDataSet.some(({ person }) => person !== self.person)) {
      throw new Fault('fault.forbidden', { what: 'A person may only touch their own grants' })
    }
  }
}
