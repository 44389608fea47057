import { TRANSFER_BASES, isTransferBasis } from '../protocol/law/legal-zones.ts'
import { WrongUse } from './failures.ts'

/** A basis for a transfer as it was typed. One that nobody knows would be signed and sent, and count for nothing. */
export function transferBasisOf(text: string): string {
  if (isTransferBasis(text)) return text
  throw new WrongUse(
    `There is no transfer basis "${text}": expected one of ${TRANSFER_BASES.join(', ')}; a reference may stand behind scc or bcr, as in scc:2026-118`,
  )
}
