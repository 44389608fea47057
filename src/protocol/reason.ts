import { err } from '../kernel/result.ts'
import type { Result } from '../kernel/result.ts'

/**
 * The catalogue of reasons. The order is precedence: when several apply, the earliest is given. Codes are never
 * reused or renumbered. `forAsker` tells the asker what to do and nothing about anybody; `forOperator` goes to the
 * operator's log. `docs/reference/errors.md` is made from this table.
 */
export const REASONS = {
  approved: { forAsker: 'Approved as asked', forOperator: 'Every check passed' },
  'partial.columns': {
    forAsker: 'Approved without the columns that are not granted; they are named in "narrowed"',
    forOperator: 'Too few people granted some of the columns, which were only shown',
  },
  'partial.people': {
    forAsker: 'Approved for the people whose terms this price meets',
    forOperator: 'Some people ask for a higher price than the tariff pays them',
  },
  'partial.differencing': {
    forAsker:
      'Approved about fewer people than asked: the others lack a value, or could be singled out next to earlier answers',
    forOperator: 'People were left out whose parts of earlier cells would be too small',
  },
  'partial.mode': {
    forAsker: 'Approved in a coarser mode than asked',
    forOperator: 'The grants allow a coarser mode only',
  },
  'partial.price': {
    forAsker: 'Approved at a lower price than asked for',
    forOperator: 'Less was delivered than was held for',
  },
  'declined.member_unknown': {
    forAsker: 'This member is not known or not active; ask the network operator',
    forOperator: 'The member is not registered, suspended, or lacks the role',
  },
  'declined.signature': {
    forAsker: 'The signature does not verify with a registered key; sign again with the current key',
    forOperator: 'The signature of the ask is forged, by an unknown key, or over something else',
  },
  'declined.replayed': {
    forAsker: 'This ask was already sent with another body; use a new id and idempotency key',
    forOperator: 'An ask id or idempotency key came again with another body',
  },
  'declined.terms': {
    forAsker: 'The terms of use of the network have to be accepted first; see "hedgerow terms show"',
    forOperator: 'The acquirer has not accepted the version of the terms of use that is in force',
  },
  'declined.custodian': {
    forAsker: 'Whoever keeps the data may not ask of it; whoever needs the answer has to ask in its own name',
    forOperator:
      'The custodian of this site, or a member that colludes with it, asked of data it keeps (DGA Art. 12(a))',
  },
  'declined.expired': {
    forAsker: 'The ask has expired or lives too long; send it again with a fresh expiry',
    forOperator: 'The expiry of the ask has passed or is too far ahead',
  },
  'declined.limit': {
    forAsker:
      'The ask goes past a limit: the least price is over what you would pay, or your limits are reached',
    forOperator: 'A limit of the member or the most it would pay is below the least price',
  },
  'declined.no_route': {
    forAsker: 'No site offers this in the places and modes asked for; look at the offers',
    forOperator: 'No active offer matches data set, site, place and mode',
  },
  'declined.funds': {
    forAsker: 'The balance does not cover the highest price; deposit money or lower maxPrice',
    forOperator: 'Available balance is below the hold',
  },
  'declined.evidence_missing': {
    forAsker: 'The site cannot prove where it is; try again later',
    forOperator: 'No location evidence; give it with "hedgerow site evidence"',
  },
  'declined.evidence_expired': {
    forAsker: 'The proof of where the site is has expired; try again later',
    forOperator: 'Location evidence has expired; renew it with "hedgerow site evidence"',
  },
  'declined.perimeter_store': {
    forAsker: 'The data may not be stored where the site is',
    forOperator: 'The place of the site is not in the perimeter for storing',
  },
  'declined.perimeter_process': {
    forAsker: 'The data may not be processed where the site is',
    forOperator: 'The place of the site is not in the perimeter for processing',
  },
  'declined.perimeter_release': {
    forAsker: 'The result may not be released to that place; name another or a transfer basis',
    forOperator: 'The place of release is not in the perimeter or has no legal basis for a transfer',
  },
  'declined.contract': {
    forAsker: 'Whoever keeps the data has no contract in force with its issuer; ask the issuer',
    forOperator:
      'No contract of processing that the issuer agreed to is in force; record it with "hedgerow officer contract record", or have the issuer confirm it',
  },
  'declined.purpose': {
    forAsker: 'The data set is not offered for this purpose and legal basis',
    forOperator: 'The purpose is refused for all, is not in the terms, or its legal basis does not fit',
  },
  'declined.mode': {
    forAsker: 'The data set is not offered in this mode',
    forOperator: 'The release mode is not in the terms',
  },
  'declined.too_large': {
    forAsker: 'The question or its result is larger than allowed',
    forOperator: 'A limit of text, tree, rows or bytes was passed',
  },
  'declined.sql_syntax': {
    forAsker: 'The SQL cannot be read; the position is in "detail"',
    forOperator: 'The grammar of PostgreSQL does not accept the text',
  },
  'declined.sql_not_supported': {
    forAsker: 'The SQL uses something that is not supported; it is named in "detail"',
    forOperator: 'A node that the gate cannot prove safe',
  },
  'declined.sql_function': {
    forAsker:
      'The SQL uses a function, operator or cast that is not allowed in this mode; it is named in "detail"',
    forOperator: 'Not on the allow list of the mode',
  },
  'declined.column': {
    forAsker: 'A column is unknown or may not be used like this; it is named in "detail"',
    forOperator: 'The column is unknown, not granted, or may not be used in this clause or mode',
  },
  'declined.retention': {
    forAsker: 'The data has reached the end of its retention',
    forOperator: 'The retention of the data set has ended',
  },
  'declined.legal_basis': {
    forAsker:
      'The legal basis of this use has no reference in force at the site that names you, the purpose and the data',
    forOperator:
      'A contract, law, permit, assessed interest or agreement is not recorded, has ended, or does not cover the use',
  },
  'declined.restricted': {
    forAsker: 'The data is under restriction',
    forOperator: 'Processing is restricted',
  },
  'declined.run_limit': {
    forAsker: 'The number of runs under these terms is used up',
    forOperator: 'The run count is used up',
  },
  'declined.nobody_eligible': {
    forAsker: 'No or too few people allow this use',
    forOperator: 'Fewer people than the minimum group are eligible',
  },
  'declined.privacy_budget': {
    forAsker: 'The privacy budget is used up',
    forOperator: 'The privacy budget is used up',
  },
  'declined.group_too_small': {
    forAsker: 'Every group is too small or uneven to be released; ask for coarser groups',
    forOperator: 'No group reached the minimum group or passed dominance',
  },
  'declined.differencing': {
    forAsker:
      'Next to earlier answers this one could single people out; ask for coarser groups, or again later',
    forOperator: 'The sets of people would cut the partition too fine, or the cohort drifted by too few',
  },
  'declined.timeout': {
    forAsker: 'The question takes longer than allowed',
    forOperator: 'The engine was interrupted at the time limit',
  },
  'declined.function_limit': {
    forAsker: 'The function went past a limit; it is named in "detail"',
    forOperator: 'The sandbox ended the run at a limit',
  },
  'declined.function_output': {
    forAsker: 'The output of the function is not what its manifest declares',
    forOperator: 'The output does not match its schema or the guard',
  },
  'declined.site_unreachable': {
    forAsker: 'The site did not answer in time; nothing was charged',
    forOperator: 'The ask expired before the site answered',
  },
} as const

export type ReasonCode = keyof typeof REASONS
export type DeclineCode = Extract<ReasonCode, `declined.${string}`>

export const REASON_CODES = Object.keys(REASONS) as readonly ReasonCode[]

/**
 * Why something was not done: a value, not an exception. `detail` is for the asker and says nothing about anybody;
 * `operatorNote` is for the site's log.
 */
export interface Decline {
  readonly code: DeclineCode
  readonly detail?: string
  /** Where in the text of the question, in characters from its beginning. */
  readonly position?: number
  readonly operatorNote?: string
}

export type Outcome<T> = Result<T, Decline>

/** A decline as an outcome: `return declined('declined.purpose')`. */
export function declined(
  code: DeclineCode,
  facts: Omit<Decline, 'code'> = {},
): { readonly ok: false; readonly error: Decline } {
  return err({ code, ...facts })
}
