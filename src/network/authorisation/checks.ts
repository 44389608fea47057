import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { expiryProblem } from '../../protocol/expiry-problem.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { Decline, DeclineCode } from '../../protocol/reason.ts'
import type { Route } from '../routing/route-ask.ts'
import type { SentAsk } from './sent-ask.ts'

/** Everything the network decides an ask by. */
export interface AskFacts {
  readonly sent: SentAsk
  readonly acquirer: MemberRecord | undefined
  readonly now: Instant
  readonly route: Route
  readonly isSigned: boolean
  /** The version of the terms of use that the acquirer has yet to accept. */
  readonly termsLacking: { readonly version: number; readonly from: Instant } | undefined
  /** What only the database knows. */
  readonly standing: Standing
}

/** What stands in the database when an ask is decided. */
export interface Standing {
  /** Whether its id or idempotency key was used before for another body. */
  readonly isReplayed: boolean
  readonly availableMinor: bigint
  /** What may still be held today; `undefined` when there is no limit. */
  readonly leftTodayMinor: bigint | undefined
}

/** A name and a rule: the facts of the decline when the ask does not pass, else nothing. */
export interface AskCheck {
  readonly name: string
  readonly declines: DeclineCode
  readonly fails: (facts: AskFacts) => boolean
  readonly detail?: (facts: AskFacts) => string | undefined
}

/** The network's checks. Their order is the order of the catalogue of reasons: the first that fails decides. */
export const ASK_CHECKS: readonly AskCheck[] = [
  {
    name: 'the acquirer is an active member with the role',
    declines: 'declined.member_unknown',
    fails: ({ acquirer }) => acquirer?.status !== 'active' || !acquirer.roles.includes('acquirer'),
  },
  {
    name: 'the ask is signed by the acquirer, or by a processor that it named',
    declines: 'declined.signature',
    fails: ({ isSigned }) => !isSigned,
  },
  {
    name: 'id and idempotency key are new',
    declines: 'declined.replayed',
    fails: ({ standing }) => standing.isReplayed,
  },
  {
    name: 'the acquirer has accepted the terms of use',
    declines: 'declined.terms',
    fails: ({ termsLacking }) => termsLacking !== undefined,
    detail: ({ termsLacking: lacking }) =>
      lacking &&
      `Version ${lacking.version} of the terms of use counts since ${formatInstant(lacking.from)}; read it with "hedgerow terms show", and accept it with "hedgerow terms accept"`,
  },
  {
    name: 'the expiry lies ahead, and not too far',
    declines: 'declined.expired',
    fails: (facts) => expiryProblemOf(facts) !== undefined,
    detail: (facts) => expiryProblemOf(facts),
  },
  {
    name: 'the most the asker would pay reaches the least price, in the currency of the offers',
    declines: 'declined.limit',
    fails: ({ sent: { ask }, route }) => route.isOtherCurrency || ask.maxPrice.amountMinor < route.leastMinor,
    detail: ({ route }) => (route.isOtherCurrency ? 'The offers are priced in another currency' : undefined),
  },
  {
    name: 'the limit of the day is not reached',
    declines: 'declined.limit',
    fails: ({ sent: { ask }, route, standing: { leftTodayMinor } }) =>
      !ask.dryRun && leftTodayMinor !== undefined && route.holdMinor > leftTodayMinor,
    detail: () => 'The limit for today is reached',
  },
  {
    name: 'a site offers it',
    declines: 'declined.no_route',
    fails: ({ route }) => route.offers.length === 0,
  },
  {
    name: 'the balance covers the highest price',
    declines: 'declined.funds',
    fails: ({ sent: { ask }, route, standing }) => !ask.dryRun && route.holdMinor > standing.availableMinor,
  },
]

function expiryProblemOf({ sent: { ask }, now }: AskFacts): string | undefined {
  return expiryProblem({ expires: ask.expires, now, decider: 'network' })
}

/** The first check that an ask does not pass. */
export function checkAsk(facts: AskFacts): Decline | undefined {
  const failed = ASK_CHECKS.find(({ fails }) => fails(facts))
  if (!failed) return undefined
  const detail = failed.detail?.(facts)
  return { code: failed.declines, ...(detail === undefined ? {} : { detail }) }
}
