import { Fault } from '../../kernel/faults.ts'
import { namedCallers } from '../named-callers.ts'
import type { NamedCaller } from '../named-callers.ts'
import type { AccessParts } from './evaluate-access.ts'

/** Applications that ask for decisions with keys of their own. */
export const ENFORCEMENT_POINTS = namedCallers('enforcement_point', 'an enforcement point')

/**
 * Names an enforcement point, or gives it other keys. A name that somebody else gave is `fault.conflict`, and so is that of a
 * member of the network, or the key of one that asked here: an acquirer learns what it may use by asking, where the guard counts what it is told.
 */
export async function nameEnforcementPoint(
  { site: { db, pins }, acquirers }: AccessParts,
  point: NamedCaller,
): Promise<NamedCaller> {
  const { member, keys } = point
  const isMember =
    (await pins.isMember({ id: member, signing: keys.signing })) ||
    (await acquirers.find(member)) !== undefined
  if (isMember)
    throw new Fault('fault.conflict', {
      what: `Cannot name "${member}": it is a member of the network, which asks by its own key`,
    })
  return ENFORCEMENT_POINTS.name(db, point)
}
