import { Fault } from '../../kernel/faults.ts'
import { idSource } from '../../kernel/id.ts'
import type { IncidentRequest, IncidentStep, IncidentView } from '../../protocol/http/officer-api.ts'
import type { RegisterContact } from '../../protocol/rights/register.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { affectedKeys, affectedPeople } from './affected-people.ts'
import { gatherRegister } from './gather-register.ts'
import { notificationClock } from './incident-clock.ts'
import { incidentLetter, writtenIn } from './incident-letter.ts'
import { insertIncident, insertIncidentStep, readIncidents } from './incident-store.ts'
import type { Incident } from './incident-store.ts'
import { isOwn } from './is-own.ts'
import { readMemberAddresses } from './member-addresses.ts'
import type { NoticeLanguage } from './notice-words.ts'
import { viewIncident } from './view-incident.ts'

interface Scope {
  readonly issuer?: MemberId | undefined
}

/** Incidents as the officer works with them. `issuer`: only what concerns that issuer. */
export interface IncidentActs {
  listIncidents(scope: Scope): Promise<IncidentView[]>
  openIncident(request: Scope & { facts: IncidentRequest }): Promise<IncidentView>
  findIncident(
    request: Scope & { incident: string },
  ): Promise<{ view: IncidentView; controllers: RegisterContact[]; processor: RegisterContact } | undefined>
  addIncidentStep(
    request: Scope & { incident: string; step: IncidentStep },
  ): Promise<IncidentView | undefined>
  incidentLetters(request: {
    issuer: MemberId
    incident: string
    language: NoticeLanguage
  }): Promise<
    { subject: string; text: string[]; people: { dataSet: DataSetId; person: string }[] } | undefined
  >
}

/** Breaches of personal data from when they are known to when they are closed (GDPR Art. 33, 34). */
export function incidentActs(site: SiteContext): IncidentActs {
  const find = async (id: string, issuer: string | undefined): Promise<SeenIncident | undefined> => {
    const [incident] = await readIncidents(site.db, id)
    return incident && seenBy(site, incident, issuer)
  }
  return {
    async listIncidents({ issuer }) {
      const seen = []
      for (const incident of await readIncidents(site.db)) {
        const found = await seenBy(site, incident, issuer)
        if (found) seen.push(found.view)
      }
      return seen
    },
    async openIncident({ issuer, facts }) {
      requireOwnScope(site, facts, issuer)
      const id = idSource(site.clock, site.random).next('incident')
      await insertIncident(site.db, { id, openedBy: issuer ?? 'operator', facts, openedAt: site.clock.now() })
      const seen = await find(id, issuer)
      if (!seen) throw new Fault('fault.internal', { what: 'Cannot find the incident that was just opened' })
      return seen.view
    },
    async findIncident({ incident, issuer }) {
      const seen = await find(incident, issuer)
      if (!seen) return undefined
      const register = await gatherRegister(site, issuer)
      const concerned = new Set(seen.view.affected.dataSets)
      const controllers = register.controllers.filter(({ dataSet }) => concerned.has(dataSet))
      const byMember = new Map(controllers.map(({ controller }) => [controller.member, controller]))
      return { view: seen.view, controllers: [...byMember.values()], processor: register.processor }
    },
    async addIncidentStep({ incident, step, issuer }) {
      const seen = await find(incident, issuer)
      if (!seen) return undefined
      requireReason(seen.incident, step, site.clock.now())
      const by = issuer ?? 'operator'
      await insertIncidentStep(site.db, { incident, step, by, at: site.clock.now() })
      return (await find(incident, issuer))?.view
    },
    async incidentLetters({ issuer, incident, language }) {
      const seen = await find(incident, issuer)
      if (!seen) return undefined
      const register = await gatherRegister(site, issuer)
      const controller = register.controllers[0]?.controller ?? { member: issuer }
      const written = writtenIn(seen.view, language)
      // Before anybody's key is read: a letter of two languages is understood by nobody (Art. 12(1), 34(2)).
      if (!written) throw unwritten(seen.view, language)
      const letter = incidentLetter(seen.view, { controller, language, written })
      return {
        ...letter,
        text: [...letter.text],
        people: await affectedKeys(site, { affected: seen.affected, issuer, incident }),
      }
    },
  }
}

const LANGUAGES: Readonly<Record<NoticeLanguage, string>> = { en: 'English', de: 'German', fr: 'French' }

function unwritten({ incident, language: opened }: IncidentView, language: NoticeLanguage): Fault {
  const isIn =
    opened === undefined
      ? 'Nobody said in which language it is written'
      : `It is written in ${LANGUAGES[opened]}`
  return new Fault('fault.conflict', {
    what: `Cannot make letters in ${LANGUAGES[language]}: ${isIn}; say consequences and measures in ${LANGUAGES[language]} with "hedgerow officer incident step ${incident} --letter-text FILE"`,
  })
}

interface SeenIncident {
  readonly incident: Incident
  readonly affected: Awaited<ReturnType<typeof affectedPeople>>
  readonly view: IncidentView
}

/**
 * An incident as far as it concerns somebody. What an issuer opened is about its own data sets, and no other issuer sees it. What the
 * operator opened each issuer sees as far as it touches its data sets (a processor tells the controller, GDPR Art. 33(2)).
 */
async function seenBy(
  site: SiteContext,
  incident: Incident,
  issuer: string | undefined,
): Promise<SeenIncident | undefined> {
  const opener = incident.openedBy === 'operator' ? undefined : incident.openedBy
  if (issuer !== undefined && opener !== undefined && opener !== issuer) return undefined
  const side = opener ?? issuer
  const own = [...site.manifests().values()].filter(
    (manifest) => side === undefined || manifest.issuer === side,
  )
  const affected = await affectedPeople(
    site,
    incident.facts.scope,
    own.map(({ dataSet }) => dataSet),
  )
  if (issuer !== undefined && incident.openedBy !== issuer && affected.byDataSet.size === 0) return undefined
  const addresses = await readMemberAddresses(site.db)
  const manifests = site.manifests()
  const view = viewIncident(incident, { affected, manifests, addresses, now: site.clock.now() })
  return { incident, affected, view }
}

function requireOwnScope(site: SiteContext, { scope }: IncidentRequest, issuer: string | undefined): void {
  const named =
    scope.kind === 'data-sets' ? scope.dataSets : scope.dataSet === undefined ? [] : [scope.dataSet]
  for (const dataSet of named)
    if (!isOwn(site, dataSet, issuer))
      throw new Fault('fault.not_found', { what: 'No such data set here, or not for this caller' })
}

/** Whoever tells the authority late says why (GDPR Art. 33(1)). */
function requireReason(incident: Incident, step: IncidentStep, now: number): void {
  if (step.step !== 'authority-told' || step.reasonForDelay !== undefined) return
  if (now < notificationClock(incident.facts.awareAt).due) return
  throw new Fault('fault.request_malformed', {
    what: 'Cannot add the step: the authority is told after the deadline',
    errors: [{ field: 'reasonForDelay', expected: 'expected the reason for the delay (GDPR Art. 33(1))' }],
  })
}
