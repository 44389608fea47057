import { digestOfJson } from '../../kernel/digest.ts'
import type { Instant } from '../../kernel/clock.ts'
import { formatDate } from '../../kernel/clock.ts'
import type { Ask } from '../../protocol/ask.ts'
import { expiryProblem } from '../../protocol/expiry-problem.ts'
import { areaContains } from '../../protocol/law/legal-zones.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { Offer } from '../../protocol/offer.ts'
import type { Decline, DeclineCode } from '../../protocol/reason.ts'
import type { SiteId } from '../../protocol/wire.ts'
import type { PublishedOffers } from './published-offers.ts'

/** Everything that is looked at before an ask on the local network is given to the site's own checks. */
export interface LocalFacts {
  readonly ask: Ask
  readonly acquirer: MemberRecord | undefined
  readonly isSigned: boolean
  /** Whether its id or idempotency key was used before for another body. */
  readonly isReplayed: boolean
  readonly site: SiteId
  readonly territory: string
  /** What the site offers under that name now. */
  readonly offer: Offer | undefined
  readonly published: Pick<PublishedOffers, 'knows'>
  /** Whether a floor limit of this acquirer covers the highest price; any, for a dry run. */
  readonly isCovered: boolean
  readonly now: Instant
}

interface LocalCheck {
  readonly name: string
  readonly declines: DeclineCode
  readonly fails: (facts: LocalFacts) => boolean
  readonly detail?: (facts: LocalFacts) => string | undefined
}

/**
 * What the network checks of an ask that comes through it, checked here when it comes on the local network: the same
 * reasons in the same order. Membership is what the network last said; money is a floor limit. Read it top to bottom.
 */
const LOCAL_CHECKS: readonly LocalCheck[] = [
  {
    name: 'the acquirer is an active member with the role',
    declines: 'declined.member_unknown',
    fails: ({ acquirer }) => acquirer?.status !== 'active' || !acquirer.roles.includes('acquirer'),
  },
  {
    name: 'the ask is signed by the acquirer and sent by it or by a processor that it named',
    declines: 'declined.signature',
    fails: ({ isSigned }) => !isSigned,
  },
  {
    name: 'id and idempotency key are new',
    declines: 'declined.replayed',
    fails: ({ isReplayed }) => isReplayed,
  },
  {
    name: 'the expiry lies ahead, and not too far',
    declines: 'declined.expired',
    fails: (facts) => expiryOf(facts) !== undefined,
    detail: (facts) => expiryOf(facts),
  },
  {
    name: 'the most the asker would pay reaches the least price, in the currency of the offer',
    declines: 'declined.limit',
    fails: (facts) =>
      isInPlace(facts) &&
      (isOtherCurrency(facts) ||
        facts.ask.maxPrice.amountMinor < BigInt(facts.offer?.tariff.minimumFeeMinor ?? 0)),
    detail: (facts) => (isOtherCurrency(facts) ? 'The offer is priced in another currency' : undefined),
  },
  {
    name: 'this site alone is asked, and offers it on terms that the network knows',
    declines: 'declined.no_route',
    fails: (facts) => routeProblem(facts) !== undefined,
    detail: (facts) => routeProblem(facts),
  },
  {
    name: 'a floor limit covers the highest price',
    declines: 'declined.funds',
    fails: ({ isCovered }) => !isCovered,
    detail: () =>
      'No floor limit of this site for this acquirer covers the highest price; ask through the network',
  },
]

/** The first check that an ask does not pass. */
export function checkLocally(facts: LocalFacts): Decline | undefined {
  const failed = LOCAL_CHECKS.find(({ fails }) => fails(facts))
  if (!failed) return undefined
  const detail = failed.detail?.(facts)
  return { code: failed.declines, ...(detail === undefined ? {} : { detail }) }
}

/** Declines that say nothing about the acquirer's own ask: they leave its id and idempotency key free. */
export const LEAVES_FREE: ReadonlySet<DeclineCode> = new Set([
  'declined.member_unknown',
  'declined.signature',
  'declined.replayed',
])

function expiryOf({ ask, now }: LocalFacts): string | undefined {
  return expiryProblem({ expires: ask.expires, now, decider: 'site' })
}

function isOtherCurrency({ ask, offer }: LocalFacts): boolean {
  return offer !== undefined && offer.tariff.currency !== ask.maxPrice.currency
}

function isInPlace({ ask, offer, site, territory, now }: LocalFacts): boolean {
  const isAsked = ask.sites.length === 1 && ask.sites[0] === site
  const today = formatDate(now)
  return (
    isAsked &&
    offer?.modes.includes(ask.mode) === true &&
    Object.hasOwn(ask.question.sealed, site) &&
    (ask.within === undefined || ask.within.some((area) => areaContains(area, territory, { today })))
  )
}

function routeProblem(facts: LocalFacts): string | undefined {
  const { ask, offer, published } = facts
  if (!offer || !isInPlace(facts))
    return 'An ask on the local network names the site alone, and something that it offers in the mode and place asked for'
  return published.knows(ask.offer, digestOfJson(offer))
    ? undefined
    : 'The terms were changed since the site last reached the network'
}
