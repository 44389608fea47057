import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { Asker } from '../access/evaluate-access.ts'
import { forbidden, notFound, requireStaff } from './may.ts'
import type { DoorCaller, SiteActs, SiteCaller } from './site-acts.ts'
import { byOf } from './speak-for.ts'

/** `/access/v1`: decisions in the words of AuthZEN, for the custodian's and the issuers' own enforcement points. */
export function serveAccess(
  door: Door<DoorCaller>,
  { access }: SiteActs,
  reachedAt: (request: Request) => string,
): void {
  door.serve(SITE_API.accessConfiguration, ({ raw }) => {
    const origin = reachedAt(raw)
    return Promise.resolve({
      policy_decision_point: origin,
      access_evaluation_endpoint: `${origin}${SITE_API.evaluateAccess.path}`,
      access_evaluations_endpoint: `${origin}${SITE_API.evaluateAccesses.path}`,
      search_resource_endpoint: `${origin}${SITE_API.searchResources.path}`,
      search_action_endpoint: `${origin}${SITE_API.searchActions.path}`,
    })
  })
  door.serve(SITE_API.evaluateAccess, ({ caller, body }) => access.evaluate(body, askerOf(caller)))
  door.serve(SITE_API.evaluateAccesses, ({ caller, body }) => access.evaluateAll(body, askerOf(caller)))
  door.serve(SITE_API.searchResources, ({ caller, body }) => {
    const asker = askerOf(caller)
    // A list of who allowed something is what nobody is to have here.
    if (body.resource.type === 'person')
      throw new Fault('fault.forbidden', { what: 'People are not searched' })
    return access.searchDataSets(body, asker)
  })
  door.serve(SITE_API.searchActions, ({ caller, body }) => access.searchActions(body, askerOf(caller)))
}

/** `/v1/enforcement-points`: who may ask so. */
export function serveEnforcementPoints(door: Door<SiteCaller>, { access }: SiteActs): void {
  door.serve(SITE_API.listEnforcementPoints, async ({ caller }) => ({
    items: await access.listPoints(requireStaff(caller)),
  }))
  door.serve(SITE_API.nameEnforcementPoint, ({ caller, params, body }) =>
    access.namePoint({ ...params, ...requireStaff(caller), keys: body.keys }),
  )
  door.serve(SITE_API.dismissEnforcementPoint, async ({ caller, params }) => {
    if (!(await access.dismissPoint({ ...params, ...requireStaff(caller) }))) throw notFound()
    return new Response(null, { status: 204 })
  })
}

/** Who may ask, and of what. An acquirer, an authority, an officer and a person are told nothing here. */
function askerOf(caller: DoorCaller): Asker {
  switch (caller.kind) {
    case 'enforcement_point':
      return { issuer: caller.issuer, by: `enforcement:${caller.point}` }
    case 'issuer':
      return { issuer: caller.member, by: byOf(caller) }
    case 'operator':
      return { by: byOf(caller) }
    case 'acquirer':
    case 'regulator':
    case 'officer':
    case 'person':
    case 'guardian':
      throw forbidden()
  }
}
