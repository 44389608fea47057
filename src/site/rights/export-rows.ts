import { cellText } from '../../protocol/rights/person-export-csv.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import { guardianshipStateWords } from '../../protocol/words/guardianship-words.ts'
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

/** A record as one line of a table, or a table of its own. */
export interface TableRow {
  /** Records of one name stand in one table. */
  readonly name: string
  readonly title: string
  readonly head: readonly string[]
  readonly cells: readonly string[]
  /** One thing with its names and values under each other, instead of a line beside others like it. */
  readonly isFacts?: true
}

/** What earlier records of an export say that later ones are read with: currencies of data sets, and what members are called. */
interface Reading {
  readonly currencies: ReadonlyMap<string, Currency>
  readonly called: (member: string) => string
}

/** What people look for in an export: that there is none of it is told, so that nobody wonders whether it was left out. */
export const LOOKED_FOR = {
  grant: { title: 'What you allowed', none: 'You have allowed nothing' },
  request: { title: 'What you asked for', none: 'You have asked for nothing' },
  use: { title: 'Who used your data', none: 'Nobody has used your data at this site' },
  access: { title: 'Who looked at your data by name', none: 'Nobody has looked at your data by name' },
} as const

/** What an export says to the person, in words. */
export function tableRowOf(record: ExportRecord, { currencies, called }: Reading): TableRow {
  switch (record.kind) {
    case 'export':
      return fieldsOf(record.kind, 'About this copy', {
        Site: record.site,
        Custodian: called(record.custodian),
        Country: placeName(record.territory),
        Made: momentText(record.madeAt),
        'Made for': actorName(record.madeFor, called),
        Receipt: record.receipt,
      })
    case 'principal':
      return fieldsOf(record.kind, 'What is known of you for the rules of age', {
        Source: called(record.issuer),
        'Born on': record.birthDate === undefined ? 'not known' : dayText(record.birthDate),
        'Lives in': record.residence === undefined ? 'not known' : placeName(record.residence),
        'Whose permission counts': GIVERS[record.grantsCountOf],
      })
    case 'guardianship':
      return guardianshipRow(record, called)
    case 'ageEvidence':
    case 'move':
      return ageRow(record, called)
    case 'dataSet':
      return dataSetRow(record, called)
    case 'identity':
      return fieldsOf(`identity ${record.dataSet}`, `How ${called(record.issuer)} knows you`, {
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
        title: LOOKED_FOR.access.title,
        head: ['When', 'Who', 'What', 'Why', 'Receipt'],
        cells: [
          momentText(record.time),
          actorName(record.by, called),
          WHAT_WORDS[record.what] ?? record.what,
          record.reason ?? '',
          `${record.site} ${record.receipt}`,
        ],
      }
  }
}

function ageRow(
  record: Extract<ExportRecord, { kind: 'ageEvidence' | 'move' }>,
  called: Reading['called'],
): TableRow {
  if (record.kind === 'move')
    return {
      name: record.kind,
      title: 'Where you have moved to',
      head: ['Country', 'From', 'Said by', 'When', 'Receipt'],
      cells: [
        placeName(record.country),
        dayText(record.fromDay),
        actorName(record.toldBy, called),
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
      actorName(record.givenBy, called),
      momentText(record.givenAt),
      momentText(record.endedAt ?? record.expires),
      `${record.site} ${record.receipt}`,
    ],
  }
}

function guardianshipRow(
  record: Extract<ExportRecord, { kind: 'guardianship' }>,
  called: Reading['called'],
): TableRow {
  return {
    name: record.kind,
    title: 'Who may speak for you',
    head: ['Who', 'Decides', 'Since', 'Until', 'State', 'Established by', 'Guardianship'],
    cells: [
      record.guardian ?? '(erased)',
      record.authority === 'sole' ? 'alone' : 'together with others',
      dayText(record.from),
      untilText(record.endedAt ?? record.until),
      guardianshipStateWords(record),
      actorName(record.establishedBy, called),
      record.guardianship,
    ],
  }
}

function dataSetRow(record: Extract<ExportRecord, { kind: 'dataSet' }>, called: Reading['called']): TableRow {
  return fieldsOf(`dataSet ${record.dataSet}`, `Data set “${record.manifest.title}”`, {
    Name: record.dataSet,
    Source: called(record.manifest.issuer),
    ...(record.processing && {
      'Kept by': `${called(record.processing.processor)}, under ${record.processing.reference}`,
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
    title: LOOKED_FOR.request.title,
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
    title: LOOKED_FOR.grant.title,
    head: ['Who', 'For what', 'How', 'Data set', 'Columns', 'Least price', 'Given', 'State', 'Receipt'],
    cells: [
      granteeName(record.grantee),
      record.purposes.map(purposeLabel).join(', '),
      // The words of a mode have a comma of their own.
      record.modes.map(modeName).join('; '),
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
    title: LOOKED_FOR.use.title,
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
