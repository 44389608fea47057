import { amount } from '../authorisation/ask-state.ts'
import type { CaptureOutcome } from '../clearing/leg.ts'

/** What became of a hold, on the wire. */
export function wireCapture({ ask, site, currency, capturedMinor, freedMinor }: CaptureOutcome) {
  return {
    ask,
    site,
    ...(capturedMinor === undefined ? {} : { captured: amount(capturedMinor, currency) }),
    ...(freedMinor === undefined ? {} : { freed: amount(freedMinor, currency) }),
  }
}
