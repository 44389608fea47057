import { boundsOutward, rowsOutward } from './bounds-outward.ts'
import type { GuessedColumn } from './guess-column.ts'
import {
  hintOfName,
  isAgeName,
  isBirthName,
  isIdName,
  isPersonName,
  isResidenceName,
  sqlNameOf,
} from './name-hints.ts'

/** Stands before whatever somebody has to decide; with it a manifest is none (`dataset describe` says what is left). */
const DECIDE = 'DECIDE'

/** What a draft is written from. */
export interface DraftFacts {
  readonly dataSet: string
  readonly issuer: string | undefined
  readonly columns: readonly DraftColumn[]
  /** The column by which people are known, as was said or seems; absent where none seems to be. */
  readonly key: DraftColumn | undefined
  /** The most rows of one person, by the proposed key; absent where that is not known. */
  readonly rowsMost: number | undefined
  /** Whether all of the file was looked at. */
  readonly isWhole: boolean
}

/** A column with its name in SQL. */
export interface DraftColumn extends GuessedColumn {
  readonly name: string
  /** Between which numbers most values are; absent where there are too few, or it is no number. */
  readonly range?: { readonly low: number; readonly high: number } | undefined
}

/** Columns by names of their own for SQL. */
export function namedColumns(columns: readonly GuessedColumn[]): readonly DraftColumn[] {
  const taken = new Set<string>()
  return columns.map((column, index) => {
    const name = sqlNameOf(column.facts.column.name, taken, `column_${index + 1}`)
    taken.add(name)
    return { ...column, name }
  })
}

/** The columns that may say of whom a row is: those that name somebody in every row; first the one by which people seem to be known. */
export function guessKeys(columns: readonly DraftColumn[]): readonly DraftColumn[] {
  const candidates = columns.filter(
    ({ type, sensitivity, isRequired }) =>
      isRequired && sensitivity === 'direct_identifier' && (type === 'text' || type === 'integer'),
  )
  const score = ({ facts: { column } }: DraftColumn) =>
    (isIdName(column.name) ? 2 : 0) + (isPersonName(column.name) ? 2 : 0) + (hintOfName(column.name) ? 1 : 0)
  return candidates.toSorted((a, b) => score(b) - score(a) || b.facts.distinct - a.facts.distinct)
}

/** The manifest as YAML that is none yet: what it says of people is a guess, and of law and money nothing. */
export function draftText(facts: DraftFacts): string {
  const { dataSet, issuer, columns, isWhole } = facts
  const seen = isWhole ? 'all rows' : 'the first rows'
  return `# Drafted from ${seen} of a file. It is no manifest before everything that says ${DECIDE} is decided:
# take the word away where what stands behind it is right, put something else where it is not.
# Nothing here is a value of a person; please keep it so.
# Every field: docs/how-to/import-data.md
dataSet: ${dataSet}
title: ''   # for people: what is in it, of whom
issuer: ${issuer ?? DECIDE}   # the member whose data it is
${personText(facts)}
columns:
${columns.map((column) => columnText(column, facts)).join('\n')}

# Why you may use the data (GDPR Art. 6(1)): eu-gdpr:A6-1-a (consent) to eu-gdpr:A6-1-f (legitimate interest).
legalBasis: ${DECIDE}
# Only where a column is a special category (GDPR Art. 9(2)): eu-gdpr:A9-2-a (explicit consent) to eu-gdpr:A9-2-j. Else take the line away.
specialCategoryBasis: ${DECIDE}
# For what it may be used, in terms of the DPV such as dpv:AcademicResearch; each includes the narrower ones.
purposes: [${DECIDE}]
# Numbers over many people only. Also: private (with noise), rows (of people who allow it).
modes: [aggregate]
# In which countries it may be kept, computed on and given to: codes such as DE, or EU, EEA, adequate.
perimeter:
  store: { within: [${DECIDE}] }
  process: { within: [${DECIDE}] }
  release: { within: [${DECIDE}] }
# How long it is kept: P5Y is five years, from a day.
retention:
  period: ${DECIDE}
  from: ${DECIDE}
# k, the least people behind a number: 10 or more. Where special categories are used it is at least 50.
minimumGroup: ${DECIDE} 20
# What an answer costs, in hundredths of the currency; no answer costs more than the cap.
tariff:
  currency: ${DECIDE}
  perRunMinor: ${DECIDE}
  capMinor: ${DECIDE}
# Who has which share of it, in hundredths of a per cent: 10000 together.
splits:
  issuer: ${DECIDE}
  custodian: ${DECIDE}
  network: ${DECIDE}
  subjects: ${DECIDE}
`
}

function personText({ columns, key, rowsMost }: DraftFacts): string {
  const birth = columns.find(({ type, facts }) => type === 'date' && isBirthName(facts.column.name))
  const residence = columns.find(
    ({ type, facts }) =>
      type === 'text' && isResidenceName(facts.column.name) && facts.shapes.country === facts.values,
  )
  const lines = [
    `person:`,
    `  key: ${decided(key?.name)}   # the column by which you know a person`,
    `  rowsMax: ${decided(rowsMost === undefined ? undefined : String(rowsOutward(rowsMost)))}   # most rows of one person that count; rows past it are kept and not counted`,
  ]
  if (birth) lines.push(`  birthDate: ${decided(birth.name)}   # without it nobody counts as of age`)
  else
    lines.push(
      `  ageAtLeast: ${DECIDE}   # the age that everybody has, as you vouch; take the line away where you do not, and nobody counts as of age`,
    )
  if (residence)
    lines.push(`  residence: ${decided(residence.name)}   # the country decides the age of consent`)
  return lines.join('\n')
}

function decided(guess: string | undefined): string {
  return guess === undefined ? DECIDE : `${DECIDE} ${guess}`
}

function columnText(column: DraftColumn, { isWhole, key: person }: DraftFacts): string {
  const { name, facts, type, sensitivity, why, isRequired, minimumBin, isOfFewWords } = column
  const source = facts.column.name
  const lines = [
    `  - name: ${name}`,
    ...(source === name ? [] : [`    source: ${quoted(source)}`]),
    `    type: ${type}${facts.values === 0 ? '   # it has no values to judge by' : ''}`,
    ...(isRequired ? [`    isRequired: true${isWhole ? '' : '   # in the rows that were looked at'}`] : []),
    `    sensitivity: ${DECIDE} ${sensitivity}   # ${why}`,
    ...boundsText(column, person),
    ...(minimumBin ? [`    minimumBin: ${DECIDE} ${minimumBin}   # the narrowest groups`] : []),
    ...(isOfFewWords && sensitivity !== 'direct_identifier'
      ? [`    # values: []   # few words come again and again: where they are public, list them`]
      : []),
  ]
  return lines.join('\n')
}

function boundsText(
  { type, facts, range, sensitivity }: DraftColumn,
  person: DraftColumn | undefined,
): readonly string[] {
  if ((type !== 'integer' && type !== 'number') || sensitivity === 'direct_identifier') return []
  if (isAgeName(facts.column.name)) return [`    bounds: ${DECIDE} [0, 120]   # sums clamp to them`]
  const bounds = range && boundsOutward(range)
  if (bounds)
    return [`    bounds: ${DECIDE} [${bounds.join(', ')}]   # put what is plausible: sums clamp to them`]
  const why = range
    ? 'some are too large to propose any'
    : person
      ? 'too few people to propose any'
      : 'of whom a row is is not known (say it with --key), so none are proposed'
  return [`    # bounds: [0, 100]   # ${why}: put what is plausible; sums clamp to them`]
}

/** A text that YAML takes for nothing else, and whoever looks at it for what it is: no sign in it is obeyed or unseen. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (sign) => `\\U${(sign.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`,
  )
}
