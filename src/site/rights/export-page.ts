import { escapeHtml } from '../../kernel/escape-html.ts'
import { cellText } from '../../protocol/rights/person-export-csv.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import { isCurrency } from '../../kernel/currency.ts'
import type { Currency } from '../../kernel/currency.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import {
  actorName,
  basisName,
  categoryName,
  dayText,
  earnedText,
  granteeName,
  memberName,
  modeName,
  momentText,
  placeName,
  placeNames,
} from '../../protocol/words/plain-words.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'

/**
 * An export as a page to read and to print (GDPR Art. 12(1): concise, intelligible, in plain language), a piece at a
 * time; without records it gives the end. It holds no script and loads nothing.
 */
export function pageWriter(): (records: readonly ExportRecord[] | 'end') => string {
  let section: string | undefined
  // A grant’s least price is in the money of the data set’s tariff, which stands before it.
  const currencies = new Map<string, Currency>()
  const write = (record: ExportRecord): string => {
    if (record.kind === 'dataSet') currencies.set(record.dataSet, record.manifest.tariff.currency)
    const row = tableRowOf(record, currencies)
    if (row.name === section) return linesOf(row)
    const before = section === undefined ? HEAD : END_OF_TABLE
    section = row.name
    const title = escapeHtml(row.title)
    const heads = row.isFacts ? '' : `<thead>${headsOf(row)}</thead>`
    // A wide table scrolls by itself, with the arrow keys too.
    return `${before}<h2>${title}</h2>\n<div class="scroll" role="region" aria-label="${title}" tabindex="0"><table${record.kind === 'row' ? ' class="row"' : ''}>${heads}<tbody>\n${linesOf(row)}`
  }
  return (records) => {
    if (records !== 'end') return records.map(write).join('')
    return `${section === undefined ? HEAD : END_OF_TABLE}</main></body></html>\n`
  }
}

const END_OF_TABLE = '</tbody></table></div>\n'

interface TableRow {
  /** Records of one name stand in one table. */
  readonly name: string
  readonly title: string
  readonly head: readonly string[]
  readonly cells: readonly string[]
  /** One thing with its names and values under each other, instead of a line beside others like it. */
  readonly isFacts?: true
}

function tableRowOf(record: ExportRecord, currencies: ReadonlyMap<string, Currency>): TableRow {
  switch (record.kind) {
    case 'export':
      return fieldsOf(record.kind, 'About this copy', {
        Site: record.site,
        Custodian: record.custodian,
        Country: placeName(record.territory),
        Made: momentText(record.madeAt),
        'Made for': actorName(record.madeFor),
        Receipt: record.receipt,
      })
    case 'principal':
      return fieldsOf(record.kind, 'What is known of you for the rules of age', {
        Source: record.issuer,
        'Born on': record.birthDate === undefined ? 'not known' : dayText(record.birthDate),
        'Lives in': record.residence === undefined ? 'not known' : placeName(record.residence),
        'Whose permission counts': GIVERS[record.grantsCountOf],
      })
    case 'guardianship':
      return guardianshipRow(record)
    case 'ageEvidence':
    case 'move':
      return ageRow(record)
    case 'dataSet':
      return dataSetRow(record)
    case 'identity':
      return fieldsOf(`identity ${record.dataSet}`, `How “${record.issuer}” knows you`, {
        'Data set': record.dataSet,
        Key: record.key,
      })
    case 'row':
      return {
        name: `row ${record.dataSet} ${record.alsoAbout ?? 0}`,
        title: `Rows of “${record.dataSet}”${sharedWith(record.alsoAbout)}`,
        head: Object.keys(record.values),
        cells: Object.values(record.values).map(cellText),
      }
    case 'grant':
      return grantRow(record, currencies.get(record.dataSet))
    case 'refusal':
    case 'objection':
      return decisionRow(record)
    case 'basis':
      return basisRow(record)
    case 'request':
      return requestRow(record)
    case 'use':
      return useRow(record)
    case 'access':
      return {
        name: record.kind,
        title: 'Who looked at your data by name',
        head: ['When', 'Who', 'What', 'Why', 'Receipt'],
        cells: [
          momentText(record.time),
          actorName(record.by),
          WHAT_WORDS[record.what] ?? record.what,
          record.reason ?? '',
          `${record.site} ${record.receipt}`,
        ],
      }
  }
}

function ageRow(record: Extract<ExportRecord, { kind: 'ageEvidence' | 'move' }>): TableRow {
  if (record.kind === 'move')
    return {
      name: record.kind,
      title: 'Where you have moved to',
      head: ['Country', 'From', 'Said by', 'When', 'Receipt'],
      cells: [
        placeName(record.country),
        dayText(record.fromDay),
        actorName(record.toldBy),
        momentText(record.toldAt),
        `${record.site} ${record.receipt}`,
      ],
    }
  return {
    name: record.kind,
    title: 'What was shown of your age',
    head: ['How', 'At least', 'Below', 'By', 'When', 'Until', 'Receipt'],
    cells: [
      record.evidenceKind,
      cellText(record.atLeast ?? null),
      cellText(record.below ?? null),
      actorName(record.givenBy),
      momentText(record.givenAt),
      momentText(record.endedAt ?? record.expires),
      `${record.site} ${record.receipt}`,
    ],
  }
}

function guardianshipRow(record: Extract<ExportRecord, { kind: 'guardianship' }>): TableRow {
  return {
    name: record.kind,
    title: 'Who may speak for you',
    head: ['Who', 'Decides', 'Since', 'Until', 'State', 'Established by', 'Guardianship'],
    cells: [
      record.guardian ?? '(erased)',
      record.authority === 'sole' ? 'alone' : 'together with others',
      dayText(record.from),
      untilText(record.endedAt ?? record.until),
      record.state.replaceAll('_', ' '),
      actorName(record.establishedBy),
      record.guardianship,
    ],
  }
}

function dataSetRow(record: Extract<ExportRecord, { kind: 'dataSet' }>): TableRow {
  return fieldsOf(`dataSet ${record.dataSet}`, `Data set “${record.manifest.title}”`, {
    Name: record.dataSet,
    Source: record.manifest.issuer,
    ...(record.processing && {
      'Kept by': `${record.processing.processor}, under ${record.processing.reference}`,
    }),
    'Legal basis': [record.manifest.legalBasis, record.manifest.specialCategoryBasis]
      .flatMap((basis) => (basis === undefined ? [] : [basisName(basis)]))
      .join('; for what the law protects specially: '),
    Purposes: record.manifest.purposes.map(purposeLabel).join(', '),
    Columns: record.manifest.columns
      .map(({ name, description, category }) => {
        const words = description ?? (category === undefined ? undefined : categoryName(category))
        return words === undefined || words === name ? name : `${name} (${words})`
      })
      .join(', '),
    'Stored within': placeNames(record.manifest.perimeter.store.within),
    'Kept until': dayText(record.keptUntil),
  })
}

function basisRow(record: Extract<ExportRecord, { kind: 'basis' }>): TableRow {
  return {
    name: record.kind,
    title: 'On what else than your own yes your data may be used',
    head: ['What', 'Resting on', 'For what', 'Data sets', 'From', 'Until'],
    cells: [
      record.basisKind.replaceAll('_', ' '),
      record.reference,
      record.purposes.map(purposeLabel).join(', '),
      record.dataSets.join(', '),
      dayText(record.validFrom),
      dayText(record.validUntil),
    ],
  }
}

function requestRow(record: Extract<ExportRecord, { kind: 'request' }>): TableRow {
  return {
    name: record.kind,
    title: 'What you asked for',
    head: ['Request', 'Right', 'Received', 'State', 'Due on', 'What happened'],
    cells: [
      record.request,
      record.right.replaceAll('_', ' '),
      momentText(record.receivedAt),
      record.state.replaceAll('_', ' '),
      dayText(record.dueOn),
      record.events
        .map(
          ({ event, at, said }) =>
            `${momentText(at)}: ${event.replaceAll('_', ' ')}${said === undefined ? '' : `: ${said}`}`,
        )
        .join('; '),
    ],
  }
}

function decisionRow(record: Extract<ExportRecord, { kind: 'refusal' | 'objection' }>): TableRow {
  if (record.kind === 'refusal')
    return {
      name: record.kind,
      title: 'What you refused',
      head: ['Who', 'For what', 'Data set', 'When', 'Receipt'],
      cells: [
        granteeName(record.grantee),
        record.purposes.map(purposeLabel).join(', '),
        record.dataSet,
        momentText(record.refusedAt),
        `${record.site} ${record.receipt}`,
      ],
    }
  return {
    name: record.kind,
    title: 'What you objected to',
    head: ['For what', 'Data set', 'When', 'Withdrawn', 'Receipt'],
    cells: [
      purposeLabel(record.purpose),
      record.dataSet ?? `all of ${record.issuer}`,
      momentText(record.madeAt),
      record.withdrawnAt === undefined ? '' : momentText(record.withdrawnAt),
      `${record.site} ${record.receipt}`,
    ],
  }
}

const GIVERS = {
  self: 'yours',
  guardian: 'your guardian’s',
  joint: 'yours and your guardian’s together',
} as const

function grantRow(
  record: Extract<ExportRecord, { kind: 'grant' }>,
  currency: Currency | undefined,
): TableRow {
  const state =
    record.revokedAt !== undefined
      ? `${(record.state ?? 'withdrawn').replaceAll('_', ' ')} on ${momentText(record.revokedAt)}`
      : record.validUntil === undefined
        ? 'until you withdraw it'
        : `until ${momentText(record.validUntil)}`
  return {
    name: record.kind,
    title: 'What you allowed',
    head: ['Who', 'For what', 'How', 'Data set', 'Columns', 'Least price', 'Given', 'State', 'Receipt'],
    cells: [
      granteeName(record.grantee),
      record.purposes.map(purposeLabel).join(', '),
      record.modes.map(modeName).join(', '),
      record.dataSet,
      record.columns?.join(', ') ?? 'all',
      leastPriceText(record.minimumPriceMinor ?? 0, currency),
      `${momentText(record.givenAt)} by ${actorName(record.givenBy ?? 'self')}`,
      state,
      `${record.site} ${record.receipt}`,
    ],
  }
}

function useRow(record: Extract<ExportRecord, { kind: 'use' }>): TableRow {
  return {
    name: record.kind,
    title: 'Who used your data',
    head: [
      'When',
      'Who',
      'For what',
      'How',
      'Data set',
      'Columns',
      'Legal basis',
      'Used in',
      'You earned',
      'Question',
      'Receipt',
    ],
    cells: [
      momentText(record.time),
      memberName(record.acquirer, record.acquirerName),
      purposeLabel(record.purpose),
      record.pseudonym === undefined
        ? modeName(record.mode)
        : `${modeName(record.mode)}, as ${record.pseudonym}`,
      record.dataSet,
      record.columns.join(', '),
      [record.legalBasis ?? '', ...(record.bases ?? []).map(({ reference }) => reference)]
        .filter((text) => text !== '')
        .map((text) => basisName(text))
        .join('; '),
      placeName(record.releaseTo),
      earnedCell(record.earned),
      shortDigest(record.question ?? record.ask),
      `${record.site} ${record.receipt}`,
    ],
  }
}

function leastPriceText(minor: number, currency: Currency | undefined): string {
  if (minor === 0) return 'none'
  return currency === undefined ? `${minor} minor units` : formatMoney(money(minor, currency))
}

function earnedCell(earned: Extract<ExportRecord, { kind: 'use' }>['earned']): string {
  return earned !== undefined && isCurrency(earned.currency)
    ? earnedText(money(earned.amount, earned.currency))
    : cellText(earned)
}

/** Enough of a digest to tell it from others; a copy for machines has all of it. */
function shortDigest(digest: string): string {
  return digest.length > 24 ? `${digest.slice(0, 20)}…` : digest
}

function untilText(time: string | undefined): string {
  return time === undefined ? '' : dayText(time)
}

/** What somebody looked at, in words. */
const WHAT_WORDS: Readonly<Record<string, string>> = {
  export: 'everything, as a copy',
  uses: 'who used it',
  accesses: 'who looked at it',
  earnings: 'what it earned you',
  consents: 'what you allowed',
  notices: 'what recipients were told',
  grants: 'what you allowed',
  requests: 'what you asked for',
  request: 'what you asked for',
  bases: 'on which legal bases it may be used',
  guardians: 'who may speak for you',
  principal: 'what is known of you for the rules of age',
}

function fieldsOf(name: string, title: string, fields: Readonly<Record<string, unknown>>): TableRow {
  return {
    name,
    title,
    head: Object.keys(fields),
    cells: Object.values(fields).map(cellText),
    isFacts: true,
  }
}

/** Of rows about others too: what says who they are is left out. */
function sharedWith(others: number | undefined): string {
  if (others === undefined) return ''
  const people = others === 1 ? 'one other person' : `${others} other people`
  return ` that are also about ${people}, without what says who`
}

function headsOf({ head }: TableRow): string {
  return `<tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr>\n`
}

function linesOf({ head, cells, isFacts }: TableRow): string {
  if (!isFacts) return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>\n`
  return cells
    .map(
      (cell, index) =>
        `<tr><th scope="row">${escapeHtml(head[index] ?? '')}</th><td>${escapeHtml(cell)}</td></tr>\n`,
    )
    .join('')
}

const HEAD = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Your data</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b }
h2 { font-size: 1.1rem; margin-top: 2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; overflow-wrap: break-word; max-width: 24rem }
th { font-weight: 600; color: #555; white-space: nowrap }
th[scope=row] { width: 12rem }
th[scope=row] + td { max-width: none }
@media (max-width: 30rem) { th[scope=row] { width: 8rem; white-space: normal } }
@page { size: landscape }
@media print { body { font-size: 11px; margin: 0; padding: 0; max-width: none } .scroll { overflow: visible } th, td { white-space: normal; padding-right: .4rem; max-width: none; overflow-wrap: anywhere } table:not(.row) td { min-width: 7em } h2 { break-after: avoid } tr { break-inside: avoid } }
</style></head><body><main>
<h1>Your data</h1>
<p>All that this site has about you: what is stored, what is derived from it, what you allowed, who used it, and who looked at it.</p>
`

/** What a browser may do with the page: show it. */
export const EXPORT_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
