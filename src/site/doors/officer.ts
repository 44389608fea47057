import type { Door } from '../../kernel/http/door.ts'
import { OFFICER_API } from '../../protocol/http/officer-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { incidentPage } from '../officer/incident-page.ts'
import { noticePage } from '../officer/notice-page.ts'
import { registerArchimate } from '../officer/register-archimate.ts'
import { registerCsv } from '../officer/register-csv.ts'
import { registerPage } from '../officer/register-page.ts'
import { notFound, requireOperator, requireReader, requireStaff, requireSteward } from './may.ts'
import type { OfficerActs } from './officer-acts.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/officer` and `/v1/regulators`: the register, notices, assessments, transfers, incidents, and who may look. */
export function serveOfficer(door: Door<SiteCaller>, acts: SiteActs): void {
  const { officer } = acts
  serveRegister(door, acts)
  serveAssessments(door, acts)
  serveTransfers(door, officer)
  serveIncidents(door, officer)
  serveRegulators(door, officer)
}

function serveRegister(door: Door<SiteCaller>, acts: SiteActs): void {
  const { officer } = acts
  door.serve(OFFICER_API.register, async ({ caller, query: { format } }) => {
    const register = await officer.register(requireReader(caller))
    switch (format) {
      case 'json':
        return register
      case 'csv':
        return text(registerCsv(register), 'text/csv; charset=utf-8')
      case 'html':
        return page(await registerPage(register))
      case 'archimate':
        return text(registerArchimate(register), 'application/xml; charset=utf-8')
    }
  })
  door.serve(OFFICER_API.putParty, ({ caller, params, body }) => {
    const { issuer } = requireStaff(caller)
    if (issuer !== undefined && issuer !== params.member) throw notFound()
    return officer.keepParty({ member: params.member, contact: body })
  })
  door.serve(OFFICER_API.notice, async ({ caller, query: { format, ...request } }) => {
    const found = await acts.findDataSet(request.dataSet)
    if (!found || !isOnSide(caller, found.manifest.issuer)) throw notFound()
    const notice = await officer.notice(request)
    if (!notice) throw notFound()
    return format === 'json' ? notice : page(await noticePage(notice))
  })
}

/** Whom a notice is for: it names recipients, which are no other issuer's business. */
function isOnSide(caller: SiteCaller, issuer: MemberId): boolean {
  switch (caller.kind) {
    case 'operator':
    case 'regulator':
      return true
    case 'issuer':
      return caller.member === issuer
    case 'person':
    case 'guardian':
      return caller.identities.some((identity) => identity.issuer === issuer)
  }
}

function serveAssessments(door: Door<SiteCaller>, acts: SiteActs): void {
  const { officer } = acts
  door.serve(OFFICER_API.listAssessments, ({ caller }) => officer.listAssessments(requireReader(caller)))
  door.serve(OFFICER_API.attachAssessment, async ({ caller, body }) => {
    const found = await acts.findDataSet(body.dataSet)
    requireSteward(caller, found?.manifest.issuer)
    return officer.attachAssessment(body)
  })
  door.serve(OFFICER_API.withdrawAssessment, async ({ caller, params }) => {
    const withdrawn = await officer.withdrawAssessment({ ...requireStaff(caller), ...params })
    if (!withdrawn) throw notFound()
    return withdrawn
  })
}

function serveTransfers(door: Door<SiteCaller>, officer: OfficerActs): void {
  door.serve(OFFICER_API.transfers, async ({ caller }) => {
    requireReader(caller)
    return { items: await officer.transfers() }
  })
  door.serve(OFFICER_API.removeTransfer, async ({ caller, params, body }) => {
    requireOperator(caller)
    const row = await officer.removeTransfer({ id: params.id, reason: body.reason })
    if (!row) throw notFound()
    return row
  })
  door.serve(OFFICER_API.restoreTransfer, async ({ caller, params }) => {
    requireOperator(caller)
    const row = await officer.restoreTransfer(params.id)
    if (!row) throw notFound()
    return row
  })
}

function serveIncidents(door: Door<SiteCaller>, officer: OfficerActs): void {
  door.serve(OFFICER_API.listIncidents, async ({ caller }) => ({
    items: await officer.listIncidents(requireReader(caller)),
  }))
  door.serve(OFFICER_API.openIncident, ({ caller, body }) =>
    officer.openIncident({ ...requireStaff(caller), facts: body }),
  )
  door.serve(OFFICER_API.incident, async ({ caller, params, query: { format } }) => {
    const found = await officer.findIncident({ ...requireReader(caller), ...params })
    if (!found) throw notFound()
    return format === 'json' ? found.view : page(await incidentPage(found.view, found))
  })
  door.serve(OFFICER_API.incidentStep, async ({ caller, params, body }) => {
    const incident = await officer.addIncidentStep({ ...requireStaff(caller), ...params, step: body })
    if (!incident) throw notFound()
    return incident
  })
  door.serve(OFFICER_API.incidentLetters, async ({ caller, params, query }) => {
    // Whom a letter goes to is personal data, which the operator has no business with.
    if (caller.kind !== 'issuer') throw notFound()
    const letters = await officer.incidentLetters({ issuer: caller.member, ...params, ...query })
    if (!letters) throw notFound()
    return letters
  })
}

function serveRegulators(door: Door<SiteCaller>, officer: OfficerActs): void {
  door.serve(OFFICER_API.registerRegulator, async ({ caller, params, body }) => {
    requireOperator(caller)
    await officer.registerRegulator({ member: params.member, keys: body.keys })
    return { member: params.member, keys: body.keys }
  })
  door.serve(OFFICER_API.removeRegulator, async ({ caller, params }) => {
    requireOperator(caller)
    if (!(await officer.removeRegulator(params.member))) throw notFound()
    return new Response(null, { status: 204 })
  })
}

function page(html: string): Response {
  return text(html, 'text/html; charset=utf-8', {
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
}

function text(body: string, type: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { 'content-type': type, ...headers } })
}
