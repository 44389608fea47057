import type { Door } from '../../kernel/http/door.ts'
import type { IdSource } from '../../kernel/id.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Authoriser } from '../authorisation/authorise.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { ClearingParts } from '../clearing/receive-decision.ts'
import type { NetworkEvents } from '../events.ts'
import type { AccessTokens } from '../../kernel/http/access-tokens.ts'
import type { RequestRates } from '../../kernel/http/request-rates.ts'
import type { Authentication } from '../membership/authenticate.ts'
import type { Principal } from '../membership/principal.ts'
import type { Membership } from '../membership/register.ts'
import type { TermsOfUse } from '../membership/terms-of-use.ts'
import type { NoticeParts } from '../notices/carry-notices.ts'
import type { WithdrawnPurge } from '../notices/purge-withdrawn.ts'
import type { AsksUnderWay } from '../routing/asks-under-way.ts'
import type { NetworkKeys } from '../network-keys.ts'
import type { WorkDesk } from '../routing/pull-work.ts'
import type { WitnessParts } from '../witness/cosign-checkpoint.ts'
import type { WakeUp } from '../routing/wake-up.ts'

/** The network's door: its caller is an operator, a member or a site. */
export type NetworkDoor = Door<Principal>

/** What the door's parts hand requests to. */
export interface NetworkParts {
  readonly name: string
  readonly version: string
  readonly keys: NetworkKeys
  readonly activityPage: 'local' | 'off'
  readonly db: Database
  readonly clock: Clock
  readonly ids: IdSource
  readonly log: ReceiptLog
  readonly events: NetworkEvents
  readonly membership: Membership
  readonly authentication: Authentication
  readonly accessTokens: AccessTokens
  readonly rates: RequestRates
  readonly catalogue: Catalogue
  readonly termsOfUse: TermsOfUse
  readonly authoriser: Authoriser
  readonly clearing: ClearingParts
  readonly notices: NoticeParts
  readonly purge: WithdrawnPurge
  readonly underWay: AsksUnderWay
  readonly workDesk: WorkDesk
  readonly witness: WitnessParts
  readonly wakeUp: WakeUp
}

/** What a request for the state of an ask waits for. */
export function askBell(ask: string): string {
  return `ask ${ask}`
}

/** What a site that pulls work waits for. */
export function siteBell(site: string): string {
  return `site ${site}`
}

/** What a site that waits for news of its notices waits for. */
export function noticeBell(site: string): string {
  return `notices ${site}`
}
