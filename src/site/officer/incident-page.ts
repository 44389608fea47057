import { html } from 'hono/html'
import type { IncidentView } from '../../protocol/officer-api.ts'
import type { RegisterContact } from '../../protocol/register.ts'
import { factTable, printedPage } from './printed-page.ts'

/** The notification of a breach to the authority, filled in: points (a) to (d) of GDPR Art. 33(3), and the record of Art. 33(5). */
export function incidentPage(
  incident: IncidentView,
  { controllers, processor }: { controllers: readonly RegisterContact[]; processor: RegisterContact },
): Promise<string> {
  const { affected, authority } = incident
  const [officer] = controllers.flatMap(({ dataProtectionOfficer }) => dataProtectionOfficer ?? [])
  const contact = (party: RegisterContact) =>
    [party.name ?? party.member, party.address, party.email].filter((part) => part !== undefined).join(', ')
  return printedPage({
    title: `Notification of a personal data breach: ${incident.title}`,
    subtitle: `GDPR Article 33. ${incident.incident}. Known since ${incident.awareAt}; the authority is to be told by ${authority.due} (${authority.rule}).`,
    body: [
      html`<h2>Who notifies</h2>`,
      factTable([
        ['Controller', controllers.map(contact)],
        ['Processor', contact(processor)],
        ['Contact point (b)', officer ?? 'no data-protection officer is named'],
        ['Authority', controllers.flatMap(({ supervisoryAuthority }) => supervisoryAuthority ?? [])],
      ]),
      html`<h2>What happened (a)</h2>`,
      factTable([
        ['Nature', incident.nature.join(', ')],
        ['Description', incident.description],
        [
          'People concerned',
          `about ${affected.people.toLocaleString('en')}, computed from the record of releases`,
        ],
        [
          'Records concerned',
          `${affected.releases.toLocaleString('en')} releases, data sets ${affected.dataSets.join(', ')}`,
        ],
        ['Categories of data', affected.categories],
        ['Special categories', affected.hasSpecialCategories ? 'yes' : 'no'],
        ['Recipients', affected.recipients],
      ]),
      html`<h2>Likely consequences (c)</h2>
        <p>${incident.consequences}</p>`,
      html`<h2>Measures (d)</h2>
        <p>${incident.measures}</p>`,
      html`<h2>Record (Art. 33(5))</h2>`,
      factTable([
        ['Opened', incident.openedAt],
        ['Risk', incident.risk],
        ...incident.steps.map(({ at, step }): [string, string] => [at, stepText(step)]),
      ]),
    ],
  })
}

function stepText(step: IncidentView['steps'][number]['step']): string {
  switch (step.step) {
    case 'authority-told':
      return `Authority told, reference ${step.reference}${step.reasonForDelay === undefined ? '' : `; late because: ${step.reasonForDelay}`}`
    case 'people-told':
      return `People told: ${step.how}`
    case 'note':
      return step.text
    case 'closed':
      return `Closed: ${step.text}`
  }
}
