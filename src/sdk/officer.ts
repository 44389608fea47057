import type { z } from 'zod'
import { BASIS_API } from '../protocol/http/basis-api.ts'
import { DECLARED_BASES_API } from '../protocol/law/declared-bases.ts'
import type { basesDeclarationSchema, declaredBasisSchema } from '../protocol/law/declared-bases.ts'
import type { missingBasisSchema } from '../protocol/http/basis-api.ts'
import type { basisRequestSchema, basisViewSchema } from '../protocol/law/basis-record.ts'
import type { KeySet } from '../protocol/member.ts'
import { AUTHORITY_API } from '../protocol/http/authority-api.ts'
import type {
  authorityDecisionSchema,
  authorityRequestSchema,
  authorityRequestViewSchema,
} from '../protocol/law/authority-request.ts'
import { OFFICER_API } from '../protocol/http/officer-api.ts'
import type {
  REGISTER_FORMATS,
  assessmentRequestSchema,
  assessmentViewSchema,
  incidentRequestSchema,
  incidentStepSchema,
  incidentViewSchema,
  noticeSchema,
  partyContactSchema,
  transferRowSchema,
} from '../protocol/http/officer-api.ts'
import type { namedOfficerSchema } from '../protocol/http/officer-role-api.ts'
import type { registerSchema } from '../protocol/rights/register.ts'
import type { HttpClient } from './http-client.ts'
import { contractCalls } from './officer-contracts.ts'
import type { OfficerContracts } from './officer-contracts.ts'

/** Wire forms of what is sent. */
export type WirePartyContact = z.input<typeof partyContactSchema>
export type WireAssessment = z.input<typeof assessmentRequestSchema>
export type WireIncident = z.input<typeof incidentRequestSchema>
export type WireIncidentStep = z.input<typeof incidentStepSchema>

type WireAuthorityRequest = z.input<typeof authorityRequestSchema>
type WireAuthorityDecision = z.input<typeof authorityDecisionSchema>
export type WireBasis = z.input<typeof basisRequestSchema>

/** What the site's door answers, parsed. */
export type NamedOfficerView = z.output<typeof namedOfficerSchema>
export type AuthorityRequestView = z.output<typeof authorityRequestViewSchema>
export type BasisView = z.output<typeof basisViewSchema>
export type MissingBasis = z.output<typeof missingBasisSchema>
export type RegisterView = z.output<typeof registerSchema>
export type AssessmentView = z.output<typeof assessmentViewSchema>
export type TransferView = z.output<typeof transferRowSchema>
export type IncidentView = z.output<typeof incidentViewSchema>
export type NoticeView = z.output<typeof noticeSchema>

export type WireBasesDeclaration = z.input<typeof basesDeclarationSchema>
export type DeclaredBasisView = z.output<typeof declaredBasisSchema>

/** Which notice. */
export interface NoticeRequest {
  readonly dataSet: string
  readonly purpose: string
  readonly language?: NoticeView['language'] | undefined
}

/** A data-protection officer's calls at a site: the custodian's with the operator's key, a controller's with the issuer's; an authority reads. */
export interface Officer extends OfficerContracts {
  register(): Promise<RegisterView>
  /** The register as a file. */
  registerFile(format: Exclude<(typeof REGISTER_FORMATS)[number], 'json'>): Promise<string>
  describeParty(member: string, contact: WirePartyContact): Promise<WirePartyContact>
  notice(request: NoticeRequest): Promise<NoticeView>
  noticePage(request: NoticeRequest): Promise<string>
  assessments(): Promise<{
    items: readonly AssessmentView[]
    missing: readonly { dataSet: string; purpose: string; reason: string }[]
  }>
  attachAssessment(assessment: WireAssessment): Promise<AssessmentView>
  withdrawAssessment(assessment: string): Promise<AssessmentView>
  bases(): Promise<{ items: readonly BasisView[]; missing: readonly MissingBasis[] }>
  recordBasis(basis: WireBasis, idempotencyKey?: string): Promise<BasisView>
  /** Puts bases in force as they are declared, or says what that would change. */
  declareBases(declaration: WireBasesDeclaration): Promise<readonly DeclaredBasisView[]>
  /** From when it resolves nothing stands on it. */
  endBasis(basis: string, reason: string): Promise<BasisView>
  changeBasisPeople(
    basis: string,
    change: { add?: readonly string[]; remove?: readonly string[] },
  ): Promise<BasisView>
  authorityRequests(): Promise<readonly AuthorityRequestView[]>
  recordAuthorityRequest(request: WireAuthorityRequest, idempotencyKey: string): Promise<AuthorityRequestView>
  decideAuthorityRequest(request: string, decision: WireAuthorityDecision): Promise<AuthorityRequestView>
  transfers(): Promise<readonly TransferView[]>
  removeTransfer(id: string, reason: string): Promise<TransferView>
  restoreTransfer(id: string): Promise<TransferView>
  incidents(): Promise<readonly IncidentView[]>
  openIncident(incident: WireIncident, idempotencyKey: string): Promise<IncidentView>
  incident(incident: string): Promise<IncidentView>
  incidentPage(incident: string): Promise<string>
  addStep(incident: string, step: WireIncidentStep, idempotencyKey: string): Promise<IncidentView>
  letters(
    incident: string,
    language?: NoticeView['language'],
  ): Promise<{
    subject: string
    text: readonly string[]
    people: readonly { dataSet: string; person: string }[]
  }>
  officers(): Promise<readonly NamedOfficerView[]>
  nameOfficer(officer: string, keys: KeySet): Promise<NamedOfficerView>
  dismissOfficer(officer: string): Promise<void>
  registerRegulator(regulator: { member: string; keys: KeySet }): Promise<void>
  removeRegulator(member: string): Promise<void>
}

export function openOfficer(client: HttpClient): Officer {
  return {
    register: () => client.call(OFFICER_API.register),
    registerFile: (format) => client.text(OFFICER_API.register, { query: { format } }),
    describeParty: (member, body) => client.call(OFFICER_API.putParty, { params: { member }, body }),
    notice: (query) => client.call(OFFICER_API.notice, { query }),
    noticePage: (query) => client.text(OFFICER_API.notice, { query: { ...query, format: 'html' } }),
    assessments: () => client.call(OFFICER_API.listAssessments),
    attachAssessment: (body) => client.call(OFFICER_API.attachAssessment, { body }),
    withdrawAssessment: (assessment) =>
      client.call(OFFICER_API.withdrawAssessment, { params: { assessment } }),
    bases: () => client.call(BASIS_API.listBases),
    recordBasis: (body, idempotencyKey) =>
      client.call(BASIS_API.recordBasis, {
        body,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    declareBases: async (body) => (await client.call(DECLARED_BASES_API.declareBases, { body })).items,
    endBasis: (basis, reason) => client.call(BASIS_API.endBasis, { params: { basis }, body: { reason } }),
    changeBasisPeople: (basis, { add = [], remove = [] }) =>
      client.call(BASIS_API.basisPeople, {
        params: { basis },
        body: { add: [...add], remove: [...remove] },
      }),
    ...contractCalls(client),
    authorityRequests: async () => (await client.call(AUTHORITY_API.listAuthorityRequests)).items,
    recordAuthorityRequest: (body, idempotencyKey) =>
      client.call(AUTHORITY_API.recordAuthorityRequest, { body, idempotencyKey }),
    decideAuthorityRequest: (request, body) =>
      client.call(AUTHORITY_API.decideAuthorityRequest, { params: { request }, body }),
    transfers: async () => (await client.call(OFFICER_API.transfers)).items,
    removeTransfer: (id, reason) =>
      client.call(OFFICER_API.removeTransfer, { params: { id }, body: { reason } }),
    restoreTransfer: (id) => client.call(OFFICER_API.restoreTransfer, { params: { id } }),
    incidents: async () => (await client.call(OFFICER_API.listIncidents)).items,
    openIncident: (body, idempotencyKey) => client.call(OFFICER_API.openIncident, { body, idempotencyKey }),
    incident: (incident) => client.call(OFFICER_API.incident, { params: { incident } }),
    incidentPage: (incident) =>
      client.text(OFFICER_API.incident, { params: { incident }, query: { format: 'html' } }),
    addStep: (incident, body, idempotencyKey) =>
      client.call(OFFICER_API.incidentStep, { params: { incident }, body, idempotencyKey }),
    letters: (incident, language) =>
      client.call(OFFICER_API.incidentLetters, { params: { incident }, query: { language } }),
    officers: async () => (await client.call(OFFICER_API.listOfficers)).items,
    nameOfficer: (officer, keys) =>
      client.call(OFFICER_API.nameOfficer, { params: { officer }, body: { keys } }),
    dismissOfficer: async (officer) => {
      await client.text(OFFICER_API.dismissOfficer, { params: { officer } })
    },
    registerRegulator: async ({ member, keys }) => {
      await client.call(OFFICER_API.registerRegulator, { params: { member }, body: { keys } })
    },
    removeRegulator: async (member) => {
      await client.text(OFFICER_API.removeRegulator, { params: { member } })
    },
  }
}
