import type { Evidence } from '../../protocol/proof/evidence.ts'
import { isNearBorder, territoryAt } from './locate.ts'

/**
 * Why evidence does not say where a site is, whatever its dates; `undefined` when it does. The map must find the very
 * territory that is claimed, and near a border the operator must have attested that they looked.
 */
export function evidenceDoubt({
  territory,
  longitude,
  latitude,
  attestsNearBorder,
}: Evidence): string | undefined {
  const found = territoryAt({ longitude, latitude })
  if (found === undefined) return 'the point is not on land of any territory'
  if (found !== territory) return `the point lies in ${found}, the claim says ${territory}`
  if (!attestsNearBorder && isNearBorder({ longitude, latitude })) {
    return 'the point is within 2 km of a border, and nobody attested on which side (--near-border)'
  }
  return undefined
}
