import { expiryProblem } from '../../protocol/expiry-problem.ts'
import { isLegalBasisFitting } from '../../protocol/law/legal-basis.ts'
import { isPurposeRefused, isPurposeWithin } from '../../protocol/law/purpose.ts'

import type { Decline, Outcome } from '../../protocol/reason.ts'
import { decidePlace } from '../place/decide-place.ts'
import { purposeEnd } from '../../protocol/law/retention.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { Member } from '../../protocol/member.ts'
import type { AskFacts } from './ask-facts.ts'

/** As much of the facts as these checks look at: a policy is tried on them without an ask that anybody signed. */
export type AdmissionFacts = Pick<
  AskFacts,
  'manifest' | 'isCustodian' | 'evidence' | 'removedGrounds' | 'unassessedRisk' | 'contractLack' | 'now'
> & {
  readonly ask: Pick<Ask, 'expires' | 'purpose' | 'legalBasis' | 'mode'> & {
    /** Nowhere is outside every perimeter. */
    readonly releaseTo?: Ask['releaseTo'] | undefined
  }
  readonly acquirer: Pick<Member, 'status' | 'transferBases'>
}

/** One check before the question is opened: what is wrong, or nothing. */
interface AdmissionCheck {
  readonly name: string
  readonly check: (facts: AdmissionFacts) => Decline | undefined
}

const MAY_BE_RELEASED: AdmissionCheck = {
  name: 'may be released there',
  check: (facts) => checkPlace('release', facts),
}

/** The checks in the order of the catalogue of reasons: the first that declines is the answer. Read it top to bottom. */
export const ADMISSION_CHECKS: readonly AdmissionCheck[] = [
  {
    name: 'member is active',
    check: ({ acquirer }) => when(acquirer.status !== 'active', { code: 'declined.member_unknown' }),
  },
  {
    // An intermediary does not use the data for anything of its own (Data Governance Act, Art. 12(a)).
    name: 'the custodian asks nothing',
    check: ({ isCustodian }) => when(isCustodian, { code: 'declined.custodian' }),
  },
  {
    name: 'ask has not expired and does not live too long',
    check: ({ ask: { expires }, now }) => {
      const detail = expiryProblem({ expires, now, decider: 'site' })
      return detail === undefined ? undefined : { code: 'declined.expired', detail }
    },
  },
  {
    name: 'data set is here',
    check: ({ manifest }) => when(manifest === undefined, { code: 'declined.no_route' }),
  },
  { name: 'may be stored here', check: (facts) => checkPlace('store', facts) },
  { name: 'may be processed here', check: (facts) => checkPlace('process', facts) },
  MAY_BE_RELEASED,
  {
    // A processor acts under a contract, and on instructions (GDPR Art. 28(3)).
    name: 'the custodian may process it',
    check: ({ contractLack }) =>
      when(contractLack !== undefined, {
        code: 'declined.contract',
        ...(contractLack === undefined ? {} : { operatorNote: contractLack }),
      }),
  },
  {
    name: 'purpose is not refused to all',
    check: ({ ask }) => when(isPurposeRefused(ask.purpose), { code: 'declined.purpose' }),
  },
  {
    name: 'purpose is in the terms',
    check: ({ ask, manifest }) =>
      when(!(manifest?.purposes ?? []).some((allowed) => isPurposeWithin(ask.purpose, allowed)), {
        code: 'declined.purpose',
      }),
  },
  {
    name: 'legal basis fits the terms',
    check: ({ ask, manifest }) =>
      when(manifest === undefined || !isLegalBasisFitting(ask.legalBasis, manifest), {
        code: 'declined.purpose',
        detail: 'The legal basis is not one on which this data set is offered',
      }),
  },
  {
    name: 'a use of high risk is assessed',
    check: ({ unassessedRisk }) =>
      when(unassessedRisk !== undefined, {
        code: 'declined.purpose',
        detail: 'This use needs an impact assessment that nobody has attached at the site (GDPR Art. 35)',
        ...(unassessedRisk === undefined ? {} : { operatorNote: unassessedRisk }),
      }),
  },
  {
    name: 'mode is in the terms',
    check: ({ ask, manifest }) =>
      when(!(manifest?.modes ?? []).includes(ask.mode), { code: 'declined.mode' }),
  },
  {
    name: 'retention has not ended',
    check: ({ ask, manifest, now }) =>
      when(manifest === undefined || purposeEnd(manifest, ask.purpose) <= now, {
        code: 'declined.retention',
      }),
  },
]

/** The same for a use of which nothing leaves: only where its result would go is not looked at. */
export const CHECKS_WITHIN: readonly AdmissionCheck[] = ADMISSION_CHECKS.filter(
  (check) => check !== MAY_BE_RELEASED,
)

/** Runs the table: the first decline, or `undefined` when the ask may be opened. */
export function admit(facts: AdmissionFacts, checks = ADMISSION_CHECKS): Decline | undefined {
  for (const { check } of checks) {
    const decline = check(facts)
    if (decline) return decline
  }
  return undefined
}

function checkPlace(operation: 'store' | 'process' | 'release', facts: AdmissionFacts): Decline | undefined {
  if (!facts.manifest) return { code: 'declined.no_route' }
  const decided: Outcome<unknown> = decidePlace({
    operation,
    perimeter: facts.manifest.perimeter,
    evidence: facts.evidence,
    releaseTo: facts.ask.releaseTo,
    recipientBases: facts.acquirer.transferBases,
    removed: facts.removedGrounds,
    now: facts.now,
  })
  return decided.ok ? undefined : decided.error
}

function when(isWrong: boolean, decline: Decline): Decline | undefined {
  return isWrong ? decline : undefined
}
