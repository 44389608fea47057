import { html } from 'hono/html'
import {
  basisName,
  categoryName,
  dayText,
  momentText,
  periodText,
  placeName,
  placeNames,
  purposeName,
  memberName,
} from '../../protocol/words/plain-words.ts'
import type { ContractNamed } from '../../protocol/law/processing-contract.ts'
import type {
  ControllerActivity,
  ProcessorActivity,
  Register,
  RegisterContact,
  RegisterTransfer,
} from '../../protocol/rights/register.ts'
import { bullets, factTable, printedPage } from './printed-page.ts'
import { subProcessorText } from './register-contracts.ts'
import type { Markup } from './printed-page.ts'

/** The register as a page to read and to print. */
export function registerPage(register: Register): Promise<string> {
  const { site, madeAt, gaps } = register
  const warning =
    gaps.length > 0 ? [html`<div class="warn"><b>Still to be done</b>${bullets(gaps)}</div>`] : []
  return printedPage({
    title: `Register of processing at ${site}`,
    subtitle: `GDPR Article 30. Made on ${momentText(madeAt)} from the terms in force and the record of releases.`,
    body: [
      ...warning,
      html`<h2>Place and processor</h2>`,
      placeTable(register),
      html`<h2>For controllers (Art. 30(1))</h2>`,
      ...register.controllers.map(activity),
      html`<h2>By the processor (Art. 30(2))</h2>`,
      ...register.processing.map(processing),
    ],
  })
}

function placeTable({ processor, place }: Register): Markup {
  const { longitude, latitude } = place
  const point = longitude === undefined || latitude === undefined ? '' : ` at ${latitude}, ${longitude}`
  const until = place.validUntil === undefined ? '' : ` until ${momentText(place.validUntil)}`
  return factTable([
    ['Processor', contactLines(processor)],
    [
      'Place',
      `${placeName(place.territory)} (${place.territory})${point}; evidence ${place.evidence.replaceAll('_', ' ')}${until}`,
    ],
  ])
}

function activity(found: ControllerActivity): Markup {
  const { subjects, erasure, perimeter } = found
  const rule = ({
    within,
    hasPolygon,
  }: {
    readonly within: readonly string[]
    readonly hasPolygon: boolean
  }) => `${placeNames(within)}${hasPolygon ? ', within a polygon' : ''}`
  return html`<h3>${found.title} <small>${found.dataSet}</small></h3>
    ${factTable([
      ['Controller', contactLines(found.controller)],
      [
        'Purposes',
        found.purposes.map(
          ({ label, purpose, assessments }) =>
            `${label} (${purpose})${assessments.length > 0 ? `; assessed: ${assessments.join(', ')}` : ''}`,
        ),
      ],
      ['Processed under', found.contract === undefined ? 'nothing in force' : contractText(found.contract)],
      ['Legal basis', basisLines(found)],
      [
        'People',
        `${subjects.people.toLocaleString('en')}${subjects.includesMinors ? ', minors among them' : ''}. ${subjects.description}`,
      ],
      [
        'Data',
        found.categories.map(
          ({ column, category, sensitivity }) =>
            `${column}${category === undefined ? '' : `: ${categoryName(category)} (${category})`}${sensitivity === 'ordinary' ? '' : `, ${sensitivity.replaceAll('_', ' ')}`}`,
        ),
      ],
      [
        'Recipients',
        found.recipients.map(
          ({ acquirer, name, purposes, countries, releases, last }) =>
            `${memberName(acquirer, name)}: ${releasesText(releases)} for ${purposes.map((purpose) => `${purposeName(purpose)} (${purpose})`).join(', ')}, used in ${placeNames(countries)}, last on ${dayText(last)}`,
        ),
      ],
      ['Transfers to third countries', transferLines(found.transfers)],
      [
        'Perimeter',
        [
          `Stored in ${rule(perimeter.store)}`,
          `Processed in ${rule(perimeter.process)}`,
          `Released to ${rule(perimeter.release)}`,
        ],
      ],
      ...erasureRows(erasure),
      ['Measures', found.measures],
      ['Terms', found.policy],
    ])}`
}

function basisLines({ legalBasis, specialCategoryBasis, bases }: ControllerActivity): readonly string[] {
  return [
    basisText(legalBasis),
    ...(specialCategoryBasis === undefined
      ? []
      : [`${basisText(specialCategoryBasis)}, for special categories`]),
    ...bases.map(({ kind, reference, purposes, until, people }) => {
      const uses = purposes.map((purpose) => purposeName(purpose)).join(', ')
      const whom = people === undefined ? '' : `, ${people.toLocaleString('en')} people`
      return `${kind.replaceAll('_', ' ')}: ${reference}, for ${uses}, until ${dayText(until)}${whom}`
    }),
  ]
}

/** When all of it goes, each row, and what goes earlier. */
function erasureRows({
  period: whole,
  until: end,
  rows,
  shorter,
}: ControllerActivity['erasure']): readonly (readonly [string, string])[] {
  return [
    ['Erased', `after ${periodText(whole)}, on ${dayText(end)}`],
    ...(rows === undefined
      ? []
      : [['Each row erased', `${periodText(rows.period)} after its "${rows.column}"`] as const]),
    ...shorter.map(({ scope, name, columns, period, until }): readonly [string, string] => [
      scope === 'purpose' ? `Not used for ${purposeName(name)}` : `Erased: ${columns?.join(', ') ?? name}`,
      `after ${periodText(period)}, on ${dayText(until)}`,
    ]),
  ]
}

function processing({
  controller,
  dataSets,
  processing: kinds,
  contracts,
  transfers,
  measures,
}: ProcessorActivity): Markup {
  return html`<h3>For ${controller.name ?? controller.member}</h3>
    ${factTable([
      ['Controller', contactLines(controller)],
      ['Data sets', dataSets],
      ['Processing', kinds],
      ['Contracts (Art. 28, 26)', contracts.flatMap(contractLines)],
      ['Transfers to third countries', transferLines(transfers)],
      ['Measures', measures],
    ])}`
}

function contractText({ kind, reference, concludedOn }: ContractNamed): string {
  const what = kind === 'processing' ? 'contract' : 'arrangement of joint controllers'
  return `${what} “${reference}”, of ${dayText(concludedOn)}`
}

function contractLines(contract: ProcessorActivity['contracts'][number]): readonly string[] {
  const { subject, dataSets, until, instructions, subProcessors, arrangement, contactPoint } = contract
  const about = dataSets === 'all' ? 'all data sets' : dataSets.join(', ')
  const end = until === undefined ? 'until it is ended' : `until ${momentText(until)}`
  return [
    `${contractText(contract)}: ${subject}; ${about}; ${end}`,
    ...(instructions === undefined ? [] : [`Instructions: ${instructions}`]),
    ...subProcessors.map((one) => `Sub-processor: ${subProcessorText(one)}`),
    ...(arrangement === undefined ? [] : [`Arrangement: ${arrangement}`]),
    ...(contactPoint === undefined ? [] : [`People turn to: ${contactPoint}`]),
  ]
}

function transferLines(transfers: readonly RegisterTransfer[]): readonly string[] {
  if (transfers.length === 0) return ['none']
  return transfers.map(
    ({ country, ground, releases }) =>
      `${placeName(country)}: ${releasesText(releases)}, ${ground ?? 'no ground today'}`,
  )
}

function releasesText(releases: number): string {
  return `${releases.toLocaleString('en')} ${releases === 1 ? 'release' : 'releases'}`
}

/** In words, with the term that a machine knows it by. */
function basisText(basis: string): string {
  const name = basisName(basis)
  return name === basis ? basis : `${name}, ${basis}`
}

function contactLines(contact: RegisterContact): readonly string[] {
  const {
    member,
    name,
    address,
    country,
    email,
    dataProtectionOfficer,
    representative,
    supervisoryAuthority,
  } = contact
  if (name === undefined) return [`${member} (not described)`]
  return [
    `${name} (${member})`,
    [address, country, email].filter((part) => part !== undefined).join(', '),
    ...(dataProtectionOfficer === undefined ? [] : [`Data-protection officer: ${dataProtectionOfficer}`]),
    ...(representative === undefined ? [] : [`Representative: ${representative}`]),
    ...(supervisoryAuthority === undefined ? [] : [`Supervisory authority: ${supervisoryAuthority}`]),
  ]
}
