import type { KeyObject } from 'node:crypto'
import type { Random } from '../../../kernel/random.ts'
import { cellContext, openCell } from './person-keys.ts'
import { seal } from './seal-cell.ts'

const NONCE_BYTES = 12

/** Seals a text of the record under a person's key, so that it goes when the key does; `use` says what it is. */
export function sealPersonText(
  text: string,
  { key, use, random }: { key: KeyObject; use: string; random: Random },
): Uint8Array {
  return seal(text, { key, nonce: random.bytes(NONCE_BYTES), context: cellContext(placeOf(use)) })
}

/** Opens what `sealPersonText` made; `undefined` when it is of another person or use. */
export function openPersonText(
  sealed: Uint8Array,
  { key, use }: { key: KeyObject; use: string },
): string | undefined {
  return openCell(sealed, { key, place: placeOf(use) })
}

/** No data set has such a name, so no cell of a row opens as a text of the record. */
function placeOf(use: string): { dataSet: string; column: string } {
  return { dataSet: '(record)', column: use }
}
