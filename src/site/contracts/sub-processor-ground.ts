import { formatDate } from '../../kernel/clock.ts'
import {
  ADEQUACY_DECISIONS,
  TRANSFER_SAFEGUARDS,
  isInEea,
  transferDecision,
} from '../../protocol/law/legal-zones.ts'
import type { CalendarDate } from '../../protocol/law/legal-zones.ts'
import type { SiteContext } from '../site-context.ts'

/** A sub-processor as far as transfers go. */
export interface SubProcessorPlace {
  readonly country: string
  readonly from?: CalendarDate | undefined
  readonly transferBasis?: string | undefined
}

/** On which day transfers are looked at, and which grounds are switched off. */
export interface TransfersNow {
  readonly today: CalendarDate
  readonly removed: ReadonlySet<string>
}

export function transfersNow({
  clock,
  transferRemovals,
}: Pick<SiteContext, 'clock' | 'transferRemovals'>): TransfersNow {
  return { today: formatDate(clock.now()), removed: transferRemovals.ids }
}

/** Whether a sub-processor sits outside of the European Economic Area, and what carries a transfer there; without `ground` nothing may go there. */
export interface SubProcessorTransfer {
  readonly ground?: string
}

/**
 * What carries a transfer to a sub-processor from the day on which it comes in (GDPR Art. 28(3)(a), 44); `undefined` where none is needed.
 * A sub-processor that can see the data is a transfer, wherever the machines stand.
 */
export function subProcessorTransfer(
  { country, from, transferBasis }: SubProcessorPlace,
  { today, removed }: TransfersNow,
): SubProcessorTransfer | undefined {
  const day = from !== undefined && from > today ? from : today
  if (isInEea(country, day)) return undefined
  const bases = transferBasis === undefined ? [] : [transferBasis]
  const ground = transferDecision(country, { today: day, bases, removed })
  switch (ground?.kind) {
    case undefined:
    case 'no-transfer':
      return {}
    case 'safeguard':
      return { ground: ground.basis }
    case 'adequacy': {
      const { decision, condition } = ground
      return { ground: condition === undefined ? decision : `${decision} (${condition})` }
    }
  }
}

/** Whether nothing may go to a sub-processor, because no ground for the transfer stands. */
export function isBarred(place: SubProcessorPlace, now: TransfersNow): boolean {
  const transfer = subProcessorTransfer(place, now)
  return transfer !== undefined && transfer.ground === undefined
}

/** What would carry a transfer to a country, for whoever names a sub-processor there without. */
export function expectedBasis({ country }: SubProcessorPlace, { removed }: TransfersNow): string {
  const decision = ADEQUACY_DECISIONS.find(({ territory }) => territory === country)
  const conditions = decision?.condition === undefined || removed.has(decision.id) ? [] : [decision.condition]
  const safeguards = TRANSFER_SAFEGUARDS.filter((name) => !removed.has(name))
  const bases = [...conditions, ...safeguards.map((name) => `${name}:REFERENCE`)]
  if (bases.length === 0)
    return `expected a country of the European Economic Area: nothing carries a transfer to ${country} now`
  return `expected ${bases.join(', ')}: ${country} is outside of the European Economic Area, and nothing else carries a transfer there (GDPR Art. 44)`
}
