import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { forbidden, notFound, requireReader, requireStaff, requireSteward } from './may.ts'
import { readingBy } from './reading-by.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/officer/bases`: what legal bases other than consent rest on, and `/v1/people/{ref}/bases`. */
export function serveBases(door: Door<SiteCaller>, acts: SiteActs): void {
  const { officer } = acts
  door.serve(SITE_API.listBases, ({ caller }) => officer.listBases(requireReader(caller)))
  door.serve(SITE_API.recordBasis, async ({ caller, body }) => {
    for (const dataSet of body.dataSets)
      requireSteward(caller, (await acts.findDataSet(dataSet))?.manifest.issuer)
    // Who of an issuer's people is party to what is no business of the operator.
    if (body.people !== 'everybody' && caller.kind !== 'issuer') throw forbidden()
    return officer.recordBasis(body, { by: staffName(caller) })
  })
  door.serve(SITE_API.declareBases, async ({ caller, body }) => {
    const scope = requireStaff(caller)
    for (const dataSet of body.declared.flatMap(({ dataSets }) => dataSets))
      requireSteward(caller, (await acts.findDataSet(dataSet))?.manifest.issuer)
    if (caller.kind !== 'issuer' && body.declared.some(({ people }) => people !== 'everybody'))
      throw forbidden()
    return { items: [...(await officer.declareBases({ ...scope, ...body }, { by: staffName(caller) }))] }
  })
  door.serve(SITE_API.endBasis, async ({ caller, params, body }) => {
    const request = { ...requireStaff(caller), ...params, ...body }
    const ended = await officer.endBasis(request, { by: staffName(caller) })
    if (!ended) throw notFound()
    return ended
  })
  door.serve(SITE_API.basisPeople, async ({ caller, params, body }) => {
    requireStaff(caller)
    if (caller.kind !== 'issuer') throw forbidden()
    if (body.add.length + body.remove.length === 0) {
      throw new Fault('fault.request_malformed', {
        what: 'Cannot change whom the basis covers: nobody is named',
        errors: [{ field: 'add', expected: 'expected keys of people to add, or to remove' }],
      })
    }
    const request = { issuer: caller.member, ...params, ...body }
    const changed = await officer.changeBasisPeople(request, { by: staffName(caller) })
    if (!changed) throw notFound()
    return changed
  })
  door.serve(SITE_API.personBases, async ({ caller, params, query }) =>
    officer.personBases(await readingBy(caller, { params, query }, acts)),
  )
}

function staffName(caller: SiteCaller): string {
  return caller.kind === 'issuer' ? `issuer:${caller.member}` : 'operator'
}
