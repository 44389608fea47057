import { elementType } from '../../../protocol/data-set.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { VaultValue } from '../../vault/vault.ts'
import type { Literal } from '../bound/bound-query.ts'
import type { ExprType } from '../catalogue/expression-type.ts'

/** A value from an engine in its form on the wire: lists are JSON texts, whole numbers past 2^53 are texts, times end in `Z` without empty fractions. */
export function toReleased(value: VaultValue | undefined, type: ExprType): ReleaseValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return fromWhole(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value === 'boolean') return value
  const element = elementType(type)
  if (element && Array.isArray(value))
    return JSON.stringify(value.map((item: VaultValue) => toReleased(item, element)))
  if (typeof value !== 'string') return null
  if (type === 'integer') return fromWhole(BigInt(value))
  return type === 'timestamp' ? value.replace(/\.?0*Z$/, 'Z') : value
}

function fromWhole(value: bigint): ReleaseValue {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/** A value on the wire as a literal again. */
export function toLiteral(value: ReleaseValue, type: ExprType): Pick<Literal, 'type' | 'value'> {
  if (type === 'timestamp' && typeof value === 'string')
    return { type, value: value.replace('T', ' ').replace('Z', '') }
  if (type === 'integer' && typeof value === 'number' && !Number.isSafeInteger(value))
    return { type, value: null }
  return { type, value }
}
