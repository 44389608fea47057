import { html } from 'hono/html'
import { categoryName, momentText } from '../../protocol/words/plain-words.ts'
import type { IncidentView } from '../../protocol/http/officer-api.ts'
import type { RegisterContact } from '../../protocol/rights/register.ts'
import { recipientTexts } from '../../protocol/words/recipient-words.ts'
import { factTable, printedPage } from './printed-page.ts'

/** The notification of a breach to the authority, filled in: points (a) to (d) of GDPR Art. 33(3), and the record of Art. 33(5). */
export function incidentPage(
  incident: IncidentView,
  { controllers, processor }: { controllers: readonly RegisterContact[]; processor: RegisterContact },
): Promise<string> {
  const { affected, authority } = incident
  const ofReleases = incident.scope.kind === 'releases'
  const [officer] = controllers.flatMap(({ dataProtectionOfficer }) => dataProtectionOfficer ?? [])
  const contact = (party: RegisterContact) =>
    [party.name ?? party.member, party.address, party.email].filter((part) => part !== undefined).join(', ')
  return printedPage({
    title: `Notification of a personal data breach: ${incident.title}`,
    subtitle: `GDPR Article 33. ${incident.incident}. Known since ${momentText(incident.awareAt)}; the authority is to be told by ${momentText(authority.due)} (${authority.rule}).`,
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
        ['Nature', incident.nature.map((nature) => NATURES[nature])],
        ['Description', incident.description],
        [
          'People concerned',
          `about ${affected.people.toLocaleString('en')}, ${ofReleases ? 'computed from the record of releases' : 'everybody in the data sets'}`,
        ],
        [
          'Records concerned',
          ofReleases
            ? `${affected.releases.toLocaleString('en')} ${affected.releases === 1 ? 'release' : 'releases'} of ${affected.dataSets.join(', ')}`
            : `all rows of ${affected.dataSets.join(', ')}`,
        ],
        ['Categories of data', affected.categories.map((category) => categoryName(category))],
        ['Special categories', affected.hasSpecialCategories ? 'yes (Art. 9(1))' : 'no'],
        ['Recipients', recipientTexts(affected)],
      ]),
      html`<h2>Likely consequences (c)</h2>
        <p>${incident.consequences}</p>`,
      html`<h2>Measures (d)</h2>
        <p>${incident.measures}</p>`,
      html`<h2>Record (Art. 33(5))</h2>`,
      factTable([
        ['Opened', momentText(incident.openedAt)],
        ['Risk', incident.risk],
        ...incident.steps.map(({ at, step }): [string, string] => [momentText(at), stepText(step)]),
      ]),
    ],
  })
}

const NATURES = {
  confidentiality: 'confidentiality: data was seen or passed on without right',
  integrity: 'integrity: data was changed without right',
  availability: 'availability: data was lost or could not be reached',
} as const satisfies Record<IncidentView['nature'][number], string>

function stepText(step: IncidentView['steps'][number]['step']): string {
  switch (step.step) {
    case 'authority-told':
      return `Authority told, reference ${step.reference}${step.reasonForDelay === undefined ? '' : `; late because: ${step.reasonForDelay}`}`
    case 'people-told':
      return `People told: ${step.how}`
    case 'letter-text':
      return `text of letters in ${step.language}: ${step.consequences} ${step.measures}`
    case 'note':
      return step.text
    case 'closed':
      return `Closed: ${step.text}`
  }
}
