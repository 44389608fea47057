import type { Instant } from '../../kernel/clock.ts'
import type { Decline } from '../../protocol/reason.ts'
import { legsOf } from '../routing/route-ask.ts'
import type { Leg, Route } from '../routing/route-ask.ts'
import type { SentAsk } from './sent-ask.ts'

/** An ask that passes, with what is held for it and where it goes. */
export interface PassedAsk {
  readonly sent: SentAsk
  readonly holdMinor: bigint
  readonly legs: readonly Leg[]
}

/** An ask that is booked and durable. */
export interface BookedAsk {
  readonly ask: PassedAsk
  readonly at: Instant
  /** Where each leg stands in its site's work, in the order of the legs. */
  readonly places: readonly bigint[]
}

/** An ask that the network declines itself. */
export interface DeclinedAsk {
  readonly sent: SentAsk
  readonly decline: Decline
}

/** A passed ask by its route. A dry run holds nothing; its sites still learn what they could charge. */
export function passedAsk(sent: SentAsk, route: Route): PassedAsk {
  return { sent, holdMinor: sent.ask.dryRun ? 0n : route.holdMinor, legs: legsOf(route) }
}
