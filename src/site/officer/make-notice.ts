import { digestOfJson } from '../../kernel/digest.ts'
import { isConsentBasis } from '../../protocol/law/legal-basis.ts'
import type { Notice, PartyContact } from '../../protocol/http/officer-api.ts'
import {
  basisName,
  columnName,
  memberName,
  dayText,
  periodText,
  placeName,
  placeNames,
  purposeName,
} from '../../protocol/words/plain-words.ts'
import type { ReadableTexts } from '../../protocol/translations.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type {
  ControllerActivity,
  ProcessorActivity,
  Register,
  RegisteredSubProcessor,
} from '../../protocol/rights/register.ts'
import { NOTICE_WORDS } from './notice-words.ts'
import type { NoticeLanguage, NoticeWords } from './notice-words.ts'

type Section = Notice['sections'][number]

/**
 * The notice to people for one purpose of a data set (GDPR Art. 13, and 14 where the data was not collected from them), in one
 * language. It is made from the register, so it says what is done and not what was once written.
 */
export function makeNotice(
  register: Register,
  {
    activity: registered,
    texts,
    purpose,
    offered,
    language,
    authority,
    objectTo,
    givesRows,
  }: {
    activity: ControllerActivity
    /** What the controller says of the data set, for who reads the language. */
    texts: ReadableTexts
    purpose: string
    /** The purpose of the terms that it is, or is part of. */
    offered: string
    language: NoticeLanguage
    authority: PartyContact['supervisoryAuthority']
    /** Where people object besides the site, as the records of interests say. */
    objectTo: readonly string[]
    /** Whether the terms offer rows of people, to those whom each allows them. */
    givesRows: boolean
  },
): Notice {
  const words = NOTICE_WORDS[language]
  const { headings } = words
  const activity = inWords(registered, texts)
  const sections: Section[] = [
    {
      article: '13(1)(a), (b)',
      heading: headings.controller,
      text: whoIsResponsible(register, activity, { language, givesRows }),
    },
    {
      article: '13(1)(c)',
      heading: headings.purpose,
      text: whatFor(activity, { purpose, offered, language }),
    },
    {
      article: '14(1)(d)',
      heading: headings.data,
      text: [...whichData(activity, language), ...untranslatedIn(activity, texts, words)],
    },
    { article: '13(1)(e)', heading: headings.recipients, text: whoReceives(register, activity, language) },
    { article: '13(1)(f)', heading: headings.transfers, text: whereTo(register, activity, language) },
    { article: '13(2)(a)', heading: headings.retention, text: howLong(activity, { purpose, language }) },
    { article: '13(2)(b)', heading: headings.rights, text: [...words.rights] },
    {
      article: '13(2)(c)',
      heading: headings.withdrawal,
      text: [
        isConsentBasis(activity.legalBasis) ? words.consent : words.objection,
        ...objectTo.map((address) => words.objectTo(address)),
      ],
    },
    {
      article: '13(2)(d)',
      heading: headings.complaint,
      text: [words.complaint(authority)],
    },
    {
      article: '14(2)(f)',
      heading: headings.source,
      text: [words.source(activity.controller.name ?? activity.controller.member)],
    },
    { article: '13(2)(f)', heading: headings.automated, text: [words.automated] },
  ]
  const said = { title: words.title(activity.title), sections }
  return { dataSet: activity.dataSet, purpose, language, version: digestOfJson(said), ...said }
}

/** An activity with the controller's words of the data set as they are to be read. */
function inWords(activity: ControllerActivity, { title, columns }: ReadableTexts): ControllerActivity {
  const described = new Map(columns.map(({ name, description }) => [name, description]))
  return {
    ...activity,
    title,
    categories: activity.categories.map(({ description: _, ...category }) => {
      const description = described.get(category.column)
      return { ...category, ...(description === undefined ? {} : { description }) }
    }),
  }
}

/** Says of what stands in another language that it does: a reader is not left to wonder (Art. 12(1)). */
function untranslatedIn(
  { title, categories }: ControllerActivity,
  { isUntranslated }: ReadableTexts,
  words: NoticeWords,
): string[] {
  const shown = categories.flatMap(({ column, category, description }) =>
    category === undefined && description !== undefined && isUntranslated({ column }) ? [description] : [],
  )
  const texts = [...(isUntranslated('title') ? [title] : []), ...shown]
  return texts.length === 0 ? [] : [words.untranslated(texts.map((text) => `“${text}”`).join(', '))]
}

function whatFor(
  activity: ControllerActivity,
  { purpose, offered, language }: { purpose: string; offered: string; language: NoticeLanguage },
): string[] {
  const words = NOTICE_WORDS[language]
  return [
    words.purposeAndBasis(purposeName(purpose, language), basisName(activity.legalBasis, language)),
    ...(offered === purpose ? [] : [words.partOf(purposeName(offered, language))]),
    ...restsOn(activity, purpose).map(({ kind, reference, until }) =>
      words.restsOn(words.kinds[kind], reference, dayText(until, language)),
    ),
  ]
}

/** What the basis of a purpose rests on today (Art. 13(1)(c), (d), (2)(e)). */
function restsOn({ bases }: ControllerActivity, purpose: string): ControllerActivity['bases'] {
  return bases.filter(({ purposes }) =>
    purposes.some((named) => isPurposeWithin(purpose, named) || isPurposeWithin(named, purpose)),
  )
}

function whoIsResponsible(
  register: Register,
  activity: ControllerActivity,
  { language, givesRows }: { language: NoticeLanguage; givesRows: boolean },
): string[] {
  const words = NOTICE_WORDS[language]
  const { controller } = activity
  const { address, email, dataProtectionOfficer, representative } = controller
  return [
    [partyName(controller, words), address, email].filter((part) => part !== undefined).join(', '),
    ...(dataProtectionOfficer === undefined ? [] : [words.officer(dataProtectionOfficer)]),
    ...(representative === undefined ? [] : [words.representative(representative)]),
    words.processor({
      name: register.processor.name ?? register.processor.member,
      territory: placeName(register.place.territory, language),
      givesRows,
    }),
    ...underWhat(register, activity, language),
  ]
}

/** The contract with the processor, or what the people are to know of the arrangement of joint controllers (Art. 26(2)). */
function underWhat(
  { processing }: Register,
  { contract, controller }: ControllerActivity,
  language: NoticeLanguage,
): string[] {
  const words = NOTICE_WORDS[language]
  if (contract === undefined) return []
  const { reference } = contract
  const { arrangement, contactPoint } = registeredOf({ processing }, controller.member, contract.contract)
  if (arrangement === undefined || contactPoint === undefined)
    return [words.contract(reference, dayText(contract.concludedOn, language))]
  return [words.arrangement(reference, arrangement, contactPoint)]
}

/** What the register says of a contract. */
function registeredOf(
  { processing }: Pick<Register, 'processing'>,
  controller: string,
  contract: string,
): Partial<ProcessorActivity['contracts'][number]> {
  const own = processing.find((activity) => activity.controller.member === controller)
  return own?.contracts.find((registered) => registered.contract === contract) ?? {}
}

/** For the purpose of the notice, and what of the data is kept less long. */
function howLong(
  { erasure, categories }: ControllerActivity,
  { purpose, language }: { purpose: string; language: NoticeLanguage },
): string[] {
  const until = (end: { until: string; period: string }) =>
    NOTICE_WORDS[language].until(dayText(end.until, language), periodText(end.period, language))
  const ends = erasure.shorter
    .filter(({ scope, name }) => scope === 'purpose' && isPurposeWithin(purpose, name))
    .map(({ until, period }) => ({ until, period }))
  const [first = erasure] = [...ends, erasure].toSorted((a, b) => (a.until < b.until ? -1 : 1))
  const ofCategories = erasure.shorter.filter(({ scope }) => scope === 'category')
  return [
    until(first),
    ...(erasure.rows === undefined ? [] : [rowsText(erasure.rows, { categories, language })]),
    ...ofCategories.map((ended) => {
      const named = categories.filter(({ column }) => ended.columns?.includes(column))
      return `${columnNames(named, language)}: ${until(ended)}`
    }),
  ]
}

/** That each row goes by its own date (`retention.rows`). */
function rowsText(
  { column, period }: NonNullable<ControllerActivity['erasure']['rows']>,
  { categories, language }: { categories: ControllerActivity['categories']; language: NoticeLanguage },
): string {
  const named = categories.filter((one) => one.column === column)
  const name = named.length === 0 ? column : columnNames(named, language)
  return NOTICE_WORDS[language].eachRow(name, periodText(period, language))
}

function whichData(
  { categories, specialCategoryBasis }: ControllerActivity,
  language: NoticeLanguage,
): string[] {
  const words = NOTICE_WORDS[language]
  const special = categories.filter(({ sensitivity }) => sensitivity === 'special_category')
  return [
    words.columns(columnNames(categories, language)),
    ...(special.length > 0 && specialCategoryBasis !== undefined
      ? [words.special(columnNames(special, language), basisName(specialCategoryBasis, language))]
      : []),
  ]
}

/** Kinds of data, and words of the controller, which have commas: all begin alike, and a semicolon parts them. */
function columnNames(categories: ControllerActivity['categories'], language: NoticeLanguage): string {
  return [...new Set(categories.map((one) => capitalised(columnName(one, language))))].join('; ')
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function whoReceives(register: Register, activity: ControllerActivity, language: NoticeLanguage): string[] {
  const words = NOTICE_WORDS[language]
  const received = activity.recipients.map(({ acquirer, name, countries }) =>
    words.received(memberName(acquirer, name), placeNames(countries, language)),
  )
  const helping = whoHelps(register, activity, language)
  return [words.whoMayAsk, ...(received.length > 0 ? received : [words.nobodyYet]), ...helping]
}

/** Sub-processors are recipients, too (Art. 4(9)). */
function whoHelps(register: Register, activity: ControllerActivity, language: NoticeLanguage): string[] {
  return helpersOf(register, activity).map(({ name, country, task, from }) =>
    NOTICE_WORDS[language].subProcessor({
      who: `${name} (${placeName(country, language)})`,
      task,
      from: from === undefined ? undefined : dayText(from, language),
    }),
  )
}

function helpersOf(
  { processing }: Register,
  { contract, controller }: ControllerActivity,
): readonly RegisteredSubProcessor[] {
  if (contract === undefined) return []
  return registeredOf({ processing }, controller.member, contract.contract).subProcessors ?? []
}

/** Where answers may be used, and what carries what goes out of the European Economic Area (Art. 13(1)(f)). */
function whereTo(register: Register, activity: ControllerActivity, language: NoticeLanguage): string[] {
  const words = NOTICE_WORDS[language]
  const { perimeter, transfers } = activity
  const helpers = helpersOf(register, activity).flatMap(({ name, country, transfer }) => {
    if (transfer === undefined) return []
    const place = placeName(country, language)
    return transfer.ground === undefined
      ? [words.noGround(place, name)]
      : [words.grounds(`${place} (${name})`, groundName(transfer.ground, words))]
  })
  return [
    words.releasePlaces(placeNames(perimeter.release.within, language)),
    ...transfers.flatMap(({ country, ground }) =>
      ground === undefined ? [] : [words.grounds(placeName(country, language), groundName(ground, words))],
    ),
    ...helpers,
  ]
}

/** A ground for a transfer in words, with its name behind: `adequacy-ch`, `scc:2026-118`. */
function groundName(ground: string, { groundKinds }: NoticeWords): string {
  const kind = ground.startsWith('adequacy') ? 'adequacy' : ground.startsWith('bcr') ? 'bcr' : 'scc'
  return `${groundKinds[kind]} (${ground})`
}

function partyName(
  { name, member, address, email }: ControllerActivity['controller'],
  words: NoticeWords,
): string {
  const isReachable = address !== undefined || email !== undefined
  return isReachable && name !== undefined ? name : words.unknownParty(memberName(member, name))
}
