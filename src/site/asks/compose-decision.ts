import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Money } from '../../kernel/money.ts'
import { decisionOf } from '../../protocol/decision.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { PrivacyNote } from '../../protocol/release.ts'
import type { Decline, ReasonCode } from '../../protocol/reason.ts'
import type { AskId, SiteId } from '../../protocol/wire.ts'
import { wireMoney } from '../../protocol/wire.ts'

/** What a decision tells the acquirer: nothing below a step, nothing about anybody. */
export interface DecisionFacts {
  readonly ask: AskId
  readonly site: SiteId
  readonly reason: ReasonCode
  readonly detail?: string | undefined
  readonly position?: number | undefined
  readonly narrowedColumns?: readonly string[] | undefined
  readonly price?: Money | undefined
  readonly peopleStep?: number | undefined
  readonly coveragePct?: number | undefined
  readonly releaseDigest?: Digest | undefined
  /** Of mode `private`. */
  readonly privacy?: PrivacyNote | undefined
  readonly decidedAt: Instant
}

/** A decision in its wire form, and signed by the site. */
export interface ComposedDecision {
  readonly body: Readonly<Record<string, unknown>>
  readonly jws: string
}

/** Writes and signs a decision (`siteDecisionSchema`). */
export function composeDecision(facts: DecisionFacts, key: KeyPair): ComposedDecision {
  const { narrowedColumns = [] } = facts
  const body = {
    ask: facts.ask,
    site: facts.site,
    decision: decisionOf(facts.reason),
    reason: facts.reason,
    ...(facts.detail === undefined ? {} : { detail: facts.detail }),
    ...(facts.position === undefined ? {} : { position: facts.position }),
    ...(narrowedColumns.length === 0 ? {} : { narrowed: { columns: [...narrowedColumns] } }),
    ...(facts.price === undefined ? {} : { price: wireMoney(facts.price) }),
    ...(facts.peopleStep === undefined ? {} : { people: facts.peopleStep }),
    ...(facts.coveragePct === undefined ? {} : { coveragePct: facts.coveragePct }),
    ...(facts.releaseDigest === undefined ? {} : { releaseDigest: facts.releaseDigest }),
    ...(facts.privacy === undefined ? {} : { privacy: facts.privacy }),
    decidedAt: formatInstant(facts.decidedAt),
  }
  return { body, jws: signJws(canonicalJson(body), { typ: TYP.decision, key }) }
}

/** Longest detail of a decision (`siteDecisionSchema`); a longer one would be refused by the network for good. */
const DETAIL_CHARACTERS_MAX = 500

/** What the asker is told of a decline. Where in the question it is stands in the detail already. */
export function detailOf({ detail }: Decline): string | undefined {
  return detail === undefined || detail.length <= DETAIL_CHARACTERS_MAX
    ? detail
    : `${detail.slice(0, DETAIL_CHARACTERS_MAX - 1)}…`
}
