import type { Migrations } from '../../kernel/postgres/migrate.ts'
import { createIdempotentAnswers } from '../../kernel/http/idempotency.ts'
import { createUsedTokens } from '../../kernel/http/used-tokens.ts'
import * as createReceiptLog from '../../transparency/create-receipt-log.ts'
import * as createEvidence from './migrations/0010-create-evidence.ts'
import * as createGrants from './migrations/0011-create-grants.ts'
import * as createDataSets from './migrations/0020-create-data-sets.ts'
import * as createPartitions from './migrations/0030-create-partitions.ts'
import * as createAsks from './migrations/0040-create-asks.ts'
import * as createIssuers from './migrations/0041-create-issuers.ts'
import * as createReservations from './migrations/0042-create-reservations.ts'
import * as reserveAtOnce from './migrations/0045-reserve-at-once.ts'
import * as reserveWithCuts from './migrations/0046-reserve-with-cuts.ts'
import * as createPrivacyBudgets from './migrations/0050-create-privacy-budgets.ts'
import * as createColludingMembers from './migrations/0055-create-colluding-members.ts'
import * as createStoredReleases from './migrations/0056-create-stored-releases.ts'
import * as createPersonAccess from './migrations/0065-create-person-access.ts'
import * as createObjections from './migrations/0066-create-objections.ts'
import * as createRequests from './migrations/0067-create-requests.ts'
import * as createOfficer from './migrations/0070-create-officer.ts'
import * as createErasures from './migrations/0060-create-erasures.ts'
import * as createWindDown from './migrations/0071-create-wind-down.ts'
import * as createColumnUses from './migrations/0080-create-column-uses.ts'
import * as createOfficers from './migrations/0132-create-officers.ts'
import * as createDataRights from './migrations/0131-create-data-rights.ts'
import * as createLegalBases from './migrations/0130-create-legal-bases.ts'
import * as createFloorLimits from './migrations/0090-create-floor-limits.ts'
import * as pinMemberChain from './migrations/0186-pin-member-chain.ts'
import * as noteLooks from './migrations/0205-note-looks.ts'
import * as pinNetworkChain from './migrations/0185-pin-network-chain.ts'
import * as noteCompaction from './migrations/0100-note-compaction.ts'
import * as createGuardHolds from './migrations/0101-create-guard-holds.ts'
import * as createRestrictions from './migrations/0061-create-restrictions-and-corrections.ts'
import * as createPrincipalFacts from './migrations/0121-create-principal-facts.ts'
import * as createGuardianships from './migrations/0120-create-guardianships.ts'
import * as createRecipientNotices from './migrations/0110-create-recipient-notices.ts'
import * as createRestorations from './migrations/0146-create-restorations.ts'
import * as createRowEnds from './migrations/0210-create-row-ends.ts'
import * as createKeyRotations from './migrations/0145-create-key-rotations.ts'
import * as createSharedUses from './migrations/0170-create-shared-uses.ts'
import * as createRetentionSweeps from './migrations/0111-create-retention-sweeps.ts'
import * as issueAtOnce from './migrations/0165-issue-at-once.ts'
import * as keepAnswersInPieces from './migrations/0191-keep-answers-in-pieces.ts'
import * as keepKeysInPieces from './migrations/0260-keep-keys-in-pieces.ts'
import * as findRowsByPerson from './migrations/0261-find-rows-by-person.ts'
import * as endSealedReleases from './migrations/0262-end-sealed-releases.ts'
import * as forgetAtOnce from './migrations/0251-forget-at-once.ts'
import * as eraseMany from './migrations/0320-erase-many.ts'
import * as noteReceivedForm from './migrations/0340-note-received-form.ts'
import * as changeConsentOnce from './migrations/0700-change-consent-once.ts'
import * as changeConsentTogether from './migrations/0360-change-consent-together.ts'
import * as finishErasures from './migrations/0280-finish-erasures-together.ts'
import * as noteRowsAtOnce from './migrations/0250-note-rows-at-once.ts'
import * as nameMembers from './migrations/0263-name-members.ts'
import * as endRememberedCalls from './migrations/0190-end-remembered-calls.ts'
import * as changeGrantsAtOnce from './migrations/0166-change-grants-at-once.ts'
import * as createEnforcementPoints from './migrations/0285-create-enforcement-points.ts'
import * as createAuthorityRequests from './migrations/0291-create-authority-requests.ts'
import * as noteHandOvers from './migrations/0381-note-hand-overs.ts'
import * as noteParts from './migrations/0451-note-parts.ts'
import * as noteRowsOfParts from './migrations/0640-note-rows-of-parts.ts'
import * as noteContractsOfOne from './migrations/0450-note-contracts-of-one.ts'
import * as keepMemberAddresses from './migrations/0470-keep-member-addresses.ts'
import * as createContractAnswers from './migrations/0380-create-contract-answers.ts'
import * as createProcessingContracts from './migrations/0290-create-processing-contracts.ts'
import * as markRememberedRequests from './migrations/0270-mark-remembered-requests.ts'

/** The schema of a site's record, in order: one file a capability, forward only. */
export const SITE_MIGRATIONS: Migrations = {
  '0001-create-receipt-log': createReceiptLog,
  '0002-create-idempotent-answers': createIdempotentAnswers,
  '0010-create-evidence': createEvidence,
  '0011-create-grants': createGrants,
  '0020-create-data-sets': createDataSets,
  '0030-create-partitions': createPartitions,
  '0040-create-asks': createAsks,
  '0041-create-issuers': createIssuers,
  '0042-create-reservations': createReservations,
  '0045-reserve-at-once': reserveAtOnce,
  '0050-create-privacy-budgets': createPrivacyBudgets,
  '0055-create-colluding-members': createColludingMembers,
  '0056-create-stored-releases': createStoredReleases,
  '0065-create-person-access': createPersonAccess,
  '0066-create-objections': createObjections,
  '0067-create-requests': createRequests,
  '0070-create-officer': createOfficer,
  '0071-create-wind-down': createWindDown,
  '0075-create-used-tokens': createUsedTokens,
  '0060-create-erasures': createErasures,
  '0080-create-column-uses': createColumnUses,
  '0046-reserve-with-cuts': reserveWithCuts,
  '0130-create-legal-bases': createLegalBases,
  '0090-create-floor-limits': createFloorLimits,
  '0185-pin-network-chain': pinNetworkChain,
  '0186-pin-member-chain': pinMemberChain,
  '0131-create-data-rights': createDataRights,
  '0132-create-officers': createOfficers,
  '0061-create-restrictions-and-corrections': createRestrictions,
  '0120-create-guardianships': createGuardianships,
  '0110-create-recipient-notices': createRecipientNotices,
  '0100-note-compaction': noteCompaction,
  '0101-create-guard-holds': createGuardHolds,
  '0121-create-principal-facts': createPrincipalFacts,
  '0111-create-retention-sweeps': createRetentionSweeps,
  '0145-create-key-rotations': createKeyRotations,
  '0170-create-shared-uses': createSharedUses,
  '0165-issue-at-once': issueAtOnce,
  '0166-change-grants-at-once': changeGrantsAtOnce,
  '0146-create-restorations': createRestorations,
  '0205-note-looks': noteLooks,
  '0210-create-row-ends': createRowEnds,
  '0190-end-remembered-calls': endRememberedCalls,
  '0191-keep-answers-in-pieces': keepAnswersInPieces,
  '0260-keep-keys-in-pieces': keepKeysInPieces,
  '0261-find-rows-by-person': findRowsByPerson,
  '0262-end-sealed-releases': endSealedReleases,
  '0263-name-members': nameMembers,
  '0270-mark-remembered-requests': markRememberedRequests,
  '0250-note-rows-at-once': noteRowsAtOnce,
  '0251-forget-at-once': forgetAtOnce,
  '0285-create-enforcement-points': createEnforcementPoints,
  '0290-create-processing-contracts': createProcessingContracts,
  '0291-create-authority-requests': createAuthorityRequests,
  '0280-finish-erasures-together': finishErasures,
  '0320-erase-many': eraseMany,
  '0340-note-received-form': noteReceivedForm,
  '0380-create-contract-answers': createContractAnswers,
  '0381-note-hand-overs': noteHandOvers,
  '0470-keep-member-addresses': keepMemberAddresses,
  '0360-change-consent-together': changeConsentTogether,
  '0450-note-contracts-of-one': noteContractsOfOne,
  '0451-note-parts': noteParts,
  '0640-note-rows-of-parts': noteRowsOfParts,
  '0700-change-consent-once': changeConsentOnce,
}
