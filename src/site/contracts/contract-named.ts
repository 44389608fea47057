import type { ContractNamed } from '../../protocol/law/processing-contract.ts'
import type { StoredContract } from './contract-store.ts'

/** A contract as registers, notices and exports name it. */
export function contractNamed({ id, facts }: StoredContract): ContractNamed {
  const { kind, reference, concludedOn } = facts
  return { contract: id, kind, reference, concludedOn }
}
