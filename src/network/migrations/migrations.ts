import { createIdempotentAnswers } from '../../kernel/http/idempotency.ts'
import type { Migration } from '../../kernel/postgres/migrate.ts'
import * as createReceiptLog from '../../transparency/create-receipt-log.ts'
import * as createMembers from './0010-create-members.ts'
import * as createOffers from './0011-create-offers.ts'
import * as createLedger from './0012-create-ledger.ts'
import * as createAsks from './0013-create-asks.ts'
import * as createCloseLeg from './0014-create-close-leg.ts'
import * as addCollusion from './0020-add-collusion.ts'
import * as createNotices from './0030-create-notices.ts'
import * as takeAskWithPlaces from './0021-take-ask-with-places.ts'
import * as createFloorLimits from './0025-create-floor-limits.ts'
import * as endRememberedAnswers from './0190-end-remembered-answers.ts'
import * as keepAsksInline from './0240-keep-asks-inline.ts'
import * as keepDecisionsInPieces from './0260-keep-decisions-in-pieces.ts'
import * as createDisputes from './0370-create-disputes.ts'
import * as keepDisputeTextsApart from './0400-keep-dispute-texts-apart.ts'
import * as knowTheNetwork from './0440-know-the-network.ts'
import * as keepTextsAsTheyAre from './0460-keep-texts-as-they-are.ts'
import * as createMemberContacts from './0330-create-member-contacts.ts'
import * as createTermsOfUse from './0320-create-terms-of-use.ts'
import * as keepDecisionsInline from './0300-keep-decisions-inline.ts'
import * as createWitnessedLogs from './0026-create-witnessed-logs.ts'

/** The steps of a network's schema, in order; they are never changed once they were released. */
export const NETWORK_MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-create-receipt-log': createReceiptLog,
  '0002-create-idempotent-answers': createIdempotentAnswers,
  '0010-create-members': createMembers,
  '0011-create-offers': createOffers,
  '0012-create-ledger': createLedger,
  '0013-create-asks': createAsks,
  '0014-create-close-leg': createCloseLeg,
  '0020-add-collusion': addCollusion,
  '0030-create-notices': createNotices,
  '0021-take-ask-with-places': takeAskWithPlaces,
  '0025-create-floor-limits': createFloorLimits,
  '0026-create-witnessed-logs': createWitnessedLogs,
  '0190-end-remembered-answers': endRememberedAnswers,
  '0240-keep-asks-inline': keepAsksInline,
  '0260-keep-decisions-in-pieces': keepDecisionsInPieces,
  '0320-create-terms-of-use': createTermsOfUse,
  '0370-create-disputes': createDisputes,
  '0330-create-member-contacts': createMemberContacts,
  '0300-keep-decisions-inline': keepDecisionsInline,
  '0400-keep-dispute-texts-apart': keepDisputeTextsApart,
  '0440-know-the-network': knowTheNetwork,
  '0460-keep-texts-as-they-are': keepTextsAsTheyAre,
}
