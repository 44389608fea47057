import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { DeclaredBasis } from '../../protocol/law/declared-bases.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { Notice, PartyContact } from '../../protocol/http/officer-api.ts'
import type { namedOfficerSchema } from '../../protocol/http/officer-role-api.ts'
import type { Register } from '../../protocol/rights/register.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { contractActs } from '../contracts/contract-acts.ts'
import { subProcessorActs } from '../contracts/sub-processor-acts.ts'
import type { SubProcessorActs } from '../contracts/sub-processor-acts.ts'
import type { ContractActs } from '../contracts/contract-acts.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import { authorityRequestActs } from '../officer/authority-requests.ts'
import type { AuthorityRequestActs } from '../officer/authority-requests.ts'
import { basisActs } from '../officer/basis-acts.ts'
import type { BasisActs } from '../officer/basis-acts.ts'
import { declareBases } from '../officer/declare-bases.ts'
import type { BasesDeclaration } from '../officer/declare-bases.ts'
import { assessmentActs } from '../officer/change-assessments.ts'
import type { AssessmentActs } from '../officer/change-assessments.ts'
import { transferActs } from '../officer/change-transfers.ts'
import type { TransferActs } from '../officer/change-transfers.ts'
import { gatherRegister } from '../officer/gather-register.ts'
import { giveNotice } from '../officer/give-notice.ts'
import { incidentActs } from '../officer/incidents.ts'
import type { IncidentActs } from '../officer/incidents.ts'
import type { NoticeLanguage } from '../officer/notice-words.ts'
import type { NamedCaller } from '../named-callers.ts'
import { NAMED_OFFICERS } from '../officer/named-officers.ts'
import { keepPartyContact } from '../officer/party-contacts.ts'
import { REGULATORS } from '../vouched-keys.ts'
import type { SiteContext } from '../site-context.ts'

/** What the officer's part of the door calls. `issuer` in a scope: only what concerns that issuer's data sets. */
export interface OfficerActs
  extends
    AssessmentActs,
    AuthorityRequestActs,
    BasisActs,
    ContractActs,
    SubProcessorActs,
    TransferActs,
    IncidentActs {
  register(scope: { issuer?: MemberId | undefined }): Promise<Register>
  keepParty(request: { member: MemberId; contact: PartyContact }): Promise<PartyContact>
  /** `undefined` when no such data set is offered for such a purpose. */
  notice(request: {
    dataSet: DataSetId
    purpose: string
    language: NoticeLanguage
  }): Promise<Notice | undefined>
  /** Bases as files say them. */
  declareBases(declaration: BasesDeclaration, change: ChangeFacts): Promise<readonly DeclaredBasis[]>
  /** Officers with keys of their own. */
  listOfficers(scope: { issuer?: MemberId | undefined }): Promise<NamedOfficerView[]>
  nameOfficer(officer: {
    officer: MemberId
    issuer?: MemberId | undefined
    keys: KeySet
  }): Promise<NamedOfficerView>
  dismissOfficer(officer: { officer: MemberId; issuer?: MemberId | undefined }): Promise<boolean>
  officerKey(
    member: string,
    keyId: string,
  ): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined>
  registerRegulator(regulator: { member: MemberId; keys: KeySet }): Promise<void>
  removeRegulator(member: MemberId): Promise<boolean>
  regulatorKey(member: string, keyId: string): Promise<PublicJwk | undefined>
}

type NamedOfficerView = z.input<typeof namedOfficerSchema>

function officerView({ member, namedAt, ...named }: NamedCaller): NamedOfficerView {
  return { officer: member, ...named, namedAt: formatInstant(namedAt) }
}

/** The officer's seat, in the forms of the door. */
export function officerActs(site: SiteContext): OfficerActs {
  return {
    ...assessmentActs(site),
    ...basisActs(site),
    ...contractActs(site),
    ...subProcessorActs(site),
    ...authorityRequestActs(site),
    declareBases: (declaration, change) => declareBases(site, declaration, change),
    ...transferActs(site),
    ...incidentActs(site),
    register: ({ issuer }) => gatherRegister(site, issuer),
    async keepParty({ member, contact }) {
      await keepPartyContact(site.db, { member, contact, now: site.clock.now() })
      return contact
    },
    notice: (request) => giveNotice(site, request),
    listOfficers: async (scope) => (await NAMED_OFFICERS.list(site.db, scope)).map(officerView),
    nameOfficer: async ({ officer: member, ...named }) =>
      officerView(await NAMED_OFFICERS.name(site.db, { member, ...named, namedAt: site.clock.now() })),
    dismissOfficer: ({ officer: member, issuer }) => NAMED_OFFICERS.dismiss(site.db, { member, issuer }),
    officerKey: (member, keyId) => NAMED_OFFICERS.findKey(site.db, { member, keyId }),
    registerRegulator: (regulator) => REGULATORS.register(site.db, { ...regulator, now: site.clock.now() }),
    removeRegulator: (member) => REGULATORS.remove(site.db, member),
    regulatorKey: (member, keyId) => REGULATORS.findKey(site.db, { member, keyId }),
  }
}
