import { formatInstant, parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Money } from '../../kernel/money.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import { CATEGORY_WORDS } from './category-words.ts'
import type { Mode } from '../mode.ts'
import { PURPOSE_WORDS } from './purpose-words.ts'
import { purposeLabel } from '../law/purpose.ts'

/**
 * Terms, codes and times as a person reads them (GDPR Art. 12(1): in clear and plain language). Machines read the terms
 * themselves, in JSON; what is written here goes to notices, letters, pages and terminals only.
 */

const LOCALES = { en: 'en-GB', de: 'de-DE', fr: 'fr-FR' } as const

/** A language in which people are written to. */
export type ReaderLanguage = keyof typeof LOCALES

/** The day of a time (an RFC 3339 text, or a date) in UTC: `27 November 2026`. What is no time stays as it is. */
export function dayText(time: string | Instant, language: ReaderLanguage = 'en'): string {
  const moment = momentOf(time)
  if (moment === undefined) return String(time)
  const format = new Intl.DateTimeFormat(LOCALES[language], { dateStyle: 'long', timeZone: 'UTC' })
  return format.format(moment)
}

/** A time as a moment of a day: `27 November 2026, 07:01 UTC`. */
export function momentText(time: string | Instant, language: ReaderLanguage = 'en'): string {
  const moment = momentOf(time)
  return moment === undefined
    ? String(time)
    : `${dayText(moment, language)}, ${formatInstant(moment).slice(11, 16)} UTC`
}

/** The same so short that it fits a column and sorts: `2026-11-27 07:01:23 UTC`. */
export function shortMomentText(time: string | Instant): string {
  const moment = momentOf(time)
  return moment === undefined ? String(time) : `${formatInstant(moment).slice(0, 19).replace('T', ' ')} UTC`
}

function momentOf(time: string | Instant): Instant | undefined {
  if (typeof time === 'number') return time
  return parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(time) ? `${time}T00:00:00Z` : time)
}

/** A period of ISO 8601 in years, months, weeks and days: `20 years`, `1 year and 6 months`. */
export function periodText(period: string, language: ReaderLanguage = 'en'): string {
  const found = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/.exec(period)
  if (!found) return period
  const parts = PERIOD_UNITS.flatMap((unit, index) => {
    const count = Number(found[index + 1] ?? 0)
    return count === 0 ? [] : [unitText(count, { unit, language })]
  })
  return new Intl.ListFormat(LOCALES[language]).format(parts)
}

const PERIOD_UNITS = ['year', 'month', 'week', 'day'] as const

function unitText(count: number, { unit, language }: { unit: string; language: ReaderLanguage }): string {
  const format = new Intl.NumberFormat(LOCALES[language], { style: 'unit', unit, unitDisplay: 'long' })
  return format.format(count)
}

const AREAS: Readonly<Record<string, Readonly<Record<ReaderLanguage, string>>>> = {
  EU: { en: 'the European Union', de: 'Europäische Union', fr: 'Union européenne' },
  EEA: {
    en: 'the European Economic Area',
    de: 'Europäischer Wirtschaftsraum',
    fr: 'Espace économique européen',
  },
  adequate: {
    en: 'countries that the European Commission has found to protect data well enough',
    de: 'Länder, deren Schutz von Daten die Europäische Kommission für angemessen befunden hat',
    fr: 'pays dont la Commission européenne a jugé la protection des données adéquate',
  },
  // Not in the standard; without them a runtime would give the code back.
  EA: { en: 'Ceuta and Melilla', de: 'Ceuta und Melilla', fr: 'Ceuta et Melilla' },
  IC: { en: 'the Canary Islands', de: 'Kanarische Inseln', fr: 'Îles Canaries' },
}

/** English countries that are spoken of with an article, by how their names begin or end. */
const WITH_ARTICLE =
  /^(?:Bahamas|Comoros|Gambia|Isle of Man|Maldives|Philippines|U\.S\.|United )|(?:Islands|Netherlands|Republic|Territory|Territories)$/

/** The name of a country or of an area that a perimeter names, as in a sentence: `Ireland`, `the Netherlands`. */
export function placeName(area: string, language: ReaderLanguage = 'en'): string {
  const named = AREAS[area]?.[language]
  if (named !== undefined) return named
  if (!/^[A-Z]{2}$/.test(area)) return area
  const name = new Intl.DisplayNames(LOCALES[language], { type: 'region' }).of(area) ?? area
  return language === 'en' && WITH_ARTICLE.test(name) ? `the ${name}` : name
}

/** Several of them: `Ireland, France and the European Economic Area`. */
export function placeNames(areas: readonly string[], language: ReaderLanguage = 'en'): string {
  const names = areas.map((area) => placeName(area, language))
  const last = names.pop() ?? ''
  return names.length === 0 ? last : `${names.join(', ')} ${AND[language]} ${last}`
}

const AND: Readonly<Record<ReaderLanguage, string>> = { en: 'and', de: 'und', fr: 'et' }

/** What a purpose is called: `Academic Research`, `Forschung an Hochschulen und Akademien`. */
export function purposeName(purpose: string, language: ReaderLanguage = 'en'): string {
  const words = PURPOSE_WORDS[purpose.replace('dpv:', '')]
  if (language === 'en' || words === undefined) return purposeLabel(purpose)
  return words[language === 'de' ? 0 : 1]
}

/** What a category of personal data is called, of `pd:BirthDate`: `birth date`, `Geburtsdatum`. */
export function categoryName(category: string, language: ReaderLanguage = 'en'): string {
  const [, term = category] = /^(?:dpv-)?pd:(\w+)$/.exec(category) ?? []
  const words = CATEGORY_WORDS[term]
  if (language !== 'en' && words !== undefined) return words[language === 'de' ? 0 : 1]
  // The labels of the vocabulary are its terms with spaces between the words.
  return term
    .replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
    .split(' ')
    .map((word) => (/^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word))
    .join(' ')
}

/** A column in words: what kind of data it is, else how it is described, else its name without its signs. */
export function columnName(
  {
    column,
    category,
    description,
  }: { column: string; category?: string | undefined; description?: string | undefined },
  language: ReaderLanguage = 'en',
): string {
  if (category !== undefined) return categoryName(category, language)
  return description ?? column.replaceAll('_', ' ')
}

/** A legal basis in words with its place in the law: `consent (GDPR Art. 6(1)(a))`; another text as it is. */
export function basisName(basis: string, language: ReaderLanguage = 'en'): string {
  const found = /^eu-gdpr:A(6-1|9-2)-([a-j])(-.+)?$/.exec(basis)
  if (!found) return basis
  const [, article = '', letter = '', detail] = found
  const isExplicit = detail === '-explicit-consent'
  const words = BASES[isExplicit ? '9-2-a' : `${article}-${letter}`]
  if (words === undefined) return basis
  return `${words[language]} (${CLAUSES[language](article === '6-1' ? 6 : 9, letter)})`
}

const CLAUSES: Readonly<Record<ReaderLanguage, (article: 6 | 9, letter: string) => string>> = {
  en: (article, letter) => `GDPR Art. ${article}(${article === 6 ? 1 : 2})(${letter})`,
  de: (article, letter) => `Art. ${article} Abs. ${article === 6 ? 1 : 2} Buchst. ${letter} DSGVO`,
  fr: (article, letter) => `art. ${article}, par. ${article === 6 ? 1 : 2}, point ${letter}, du RGPD`,
}

const BASES: Readonly<Record<string, Readonly<Record<ReaderLanguage, string>>>> = {
  '6-1-a': { en: 'consent', de: 'Einwilligung', fr: 'consentement' },
  '6-1-b': { en: 'a contract', de: 'ein Vertrag', fr: 'un contrat' },
  '6-1-c': { en: 'a legal obligation', de: 'eine rechtliche Verpflichtung', fr: 'une obligation légale' },
  '6-1-d': {
    en: 'vital interests of a person',
    de: 'lebenswichtige Interessen eines Menschen',
    fr: 'les intérêts vitaux d’une personne',
  },
  '6-1-e': {
    en: 'a task in the public interest or of an authority',
    de: 'eine Aufgabe im öffentlichen Interesse oder einer Behörde',
    fr: 'une mission d’intérêt public ou relevant de l’autorité publique',
  },
  '6-1-f': { en: 'a legitimate interest', de: 'ein berechtigtes Interesse', fr: 'un intérêt légitime' },
  '9-2-a': { en: 'explicit consent', de: 'ausdrückliche Einwilligung', fr: 'consentement explicite' },
  '9-2-b': {
    en: 'employment, social security and social protection law',
    de: 'Arbeitsrecht und Recht der sozialen Sicherheit',
    fr: 'droit du travail, de la sécurité sociale et de la protection sociale',
  },
  '9-2-c': {
    en: 'vital interests of a person who cannot consent',
    de: 'lebenswichtige Interessen eines Menschen, der nicht einwilligen kann',
    fr: 'les intérêts vitaux d’une personne qui ne peut pas consentir',
  },
  '9-2-d': {
    en: 'the work of a non-profit body with its members',
    de: 'die Arbeit einer gemeinnützigen Organisation mit ihren Mitgliedern',
    fr: 'les activités d’un organisme sans but lucratif avec ses membres',
  },
  '9-2-e': {
    en: 'data that the person made public',
    de: 'Daten, die der Mensch selbst öffentlich gemacht hat',
    fr: 'des données que la personne a rendues publiques',
  },
  '9-2-f': { en: 'legal claims', de: 'Rechtsansprüche', fr: 'des droits en justice' },
  '9-2-g': {
    en: 'substantial public interest',
    de: 'ein erhebliches öffentliches Interesse',
    fr: 'un intérêt public important',
  },
  '9-2-h': {
    en: 'health or social care',
    de: 'Gesundheits- und Sozialversorgung',
    fr: 'les soins de santé ou la protection sociale',
  },
  '9-2-i': { en: 'public health', de: 'öffentliche Gesundheit', fr: 'la santé publique' },
  '9-2-j': {
    en: 'archiving, research or statistics',
    de: 'Archive, Forschung oder Statistik',
    fr: 'l’archivage, la recherche ou les statistiques',
  },
}

/** Who did something, of `issuer:world-sport` or `person`: `world-sport`, `you`; read by the person whom it is about. */
export function actorName(by: string, called: (member: string) => string = (id) => id): string {
  const [role = '', ...rest] = by.split(':')
  const name = rest.join(':')
  if (role === 'person' || by === 'self') return 'you'
  if (role === 'guardian') return 'your guardian'
  if (role === 'operator') return 'the operator of the site'
  if (role === 'officer' && name !== '') return `${name}, data-protection officer`
  return role === 'issuer' && name !== '' ? called(name) : by
}

/** The same for any reader, who need not be the person: `world-sport`, `the person`, `a guardian`, `the site`. */
export function actorWords(by: string): string {
  const [role = ''] = by.split(':')
  if (role === 'person' || by === 'self') return 'the person'
  if (role === 'guardian') return 'a guardian'
  return by === 'site' ? 'the site' : actorName(by)
}

/** A member for people to read: `Northcare Insurance (northcare)`, or the id where no name is known. */
export function memberName(id: string, name: string | undefined): string {
  return name === undefined || name === id ? id : `${name} (${id})`
}

/** Whom a grant is for: `northcare`, `every insurer`, `anyone`. */
export function granteeName(
  grantee: { readonly member: string } | { readonly class: string } | { readonly anyone: true },
): string {
  if ('member' in grantee) return grantee.member
  return 'class' in grantee ? `every ${grantee.class.replaceAll('-', ' ')}` : 'anyone'
}

/** What a use earned one person: `1.20 EUR`; what is below the smallest unit stays with the people together. */
export function earnedText(earned: Money): string {
  const least = money(1, earned.currency)
  return earned.amountMinor === 0n ? `less than ${formatMoney(least)}` : formatMoney(earned)
}

/** What leaves in a release mode. */
export function modeName(mode: string): string {
  const words: Readonly<Record<string, string>> = MODE_NAMES
  return words[mode] ?? mode
}

const MODE_NAMES = {
  aggregate: 'numbers about groups',
  private: 'numbers about groups, blurred',
  rows: 'single rows, without your name',
  function: 'what a program gives, about groups',
} as const satisfies Record<Mode, string>
