import { Fault } from '../../kernel/faults.ts'
import type { HAND_OVER_FORMATS } from '../../protocol/http/hand-over-api.ts'
import type { ReceivedForm } from '../datasets/import-store.ts'

/** What an issuer asks for. */
export type HandOverFormat = (typeof HAND_OVER_FORMATS)[number]

/** In which form something is handed over; `isPacked` is with gzip. */
export interface HandedForm {
  readonly format: 'csv' | 'ndjson'
  readonly isPacked: boolean
}

const NDJSON: HandedForm = { format: 'ndjson', isPacked: false }

/**
 * In which form rows are handed over that were received in `received`, the newest first (DGA Art. 12(d)): as the newest came, unless
 * another format is asked for. What came as Parquet, or before it was noted how, is NDJSON, which keeps types. Whoever asks for
 * `received` has opted out of conversions: then all rows came in one form that is given back, or nothing is.
 *
 * @throws Fault `fault.conflict` when rows would be converted against that
 */
export function handOverForm(
  received: readonly (ReceivedForm | undefined)[],
  asked: HandOverFormat | undefined,
): HandedForm {
  if (asked === 'csv' || asked === 'ndjson') return { format: asked, isPacked: false }
  const [newest, ...others] = received
  const { format, isPacked = false } = newest ?? {}
  const asItCame = format === 'csv' || format === 'ndjson' ? { format, isPacked } : undefined
  const isConverted = received.length > 0 && (asItCame === undefined || others.length > 0)
  if (asked === 'received' && isConverted) {
    throw new Fault('fault.conflict', {
      what: 'Cannot hand rows over as they were received: not all came as one of CSV and NDJSON; ask for the format csv or ndjson',
    })
  }
  return asItCame ?? NDJSON
}
