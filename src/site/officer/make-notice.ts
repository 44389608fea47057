import { digestOfJson } from '../../kernel/digest.ts'
import { isConsentBasis } from '../../protocol/legal-basis.ts'
import type { Notice, PartyContact } from '../../protocol/officer-api.ts'
import { isPurposeWithin, purposeLabel } from '../../protocol/purpose.ts'
import type { ControllerActivity, Register } from '../../protocol/register.ts'
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
    activity,
    purpose,
    language,
    authority,
    objectTo,
  }: {
    activity: ControllerActivity
    purpose: string
    language: NoticeLanguage
    authority: PartyContact['supervisoryAuthority']
    /** Where people object besides the site, as the records of interests say. */
    objectTo: readonly string[]
  },
): Notice {
  const words = NOTICE_WORDS[language]
  const { headings } = words
  const controller = partyName(activity.controller, words)
  const sections: Section[] = [
    {
      article: '13(1)(a), (b)',
      heading: headings.controller,
      text: whoIsResponsible(register, activity, words),
    },
    {
      article: '13(1)(c)',
      heading: headings.purpose,
      text: [
        words.purposeAndBasis(purposeLabel(purpose), activity.legalBasis),
        ...restsOn(activity, purpose).map(({ kind, reference, until }) =>
          words.restsOn(words.kinds[kind], reference, until.slice(0, 10)),
        ),
      ],
    },
    { article: '14(1)(d)', heading: headings.data, text: whichData(activity, words) },
    { article: '13(1)(e)', heading: headings.recipients, text: whoReceives(activity, words) },
    { article: '13(1)(f)', heading: headings.transfers, text: whereTo(activity, words) },
    {
      article: '13(2)(a)',
      heading: headings.retention,
      text: howLong(activity, { purpose, words }),
    },
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
      text: [words.complaint(authority ?? words.leadAuthority)],
    },
    { article: '14(2)(f)', heading: headings.source, text: [words.source(controller)] },
    { article: '13(2)(f)', heading: headings.automated, text: [words.automated] },
  ]
  const said = { title: words.title(activity.title), sections }
  return { dataSet: activity.dataSet, purpose, language, version: digestOfJson(said), ...said }
}

/** What the basis of a purpose rests on today (Art. 13(1)(c), (d), (2)(e)). */
function restsOn({ bases }: ControllerActivity, purpose: string): ControllerActivity['bases'] {
  return bases.filter(({ purposes }) =>
    purposes.some((named) => isPurposeWithin(purpose, named) || isPurposeWithin(named, purpose)),
  )
}

function whoIsResponsible(
  register: Register,
  { controller }: ControllerActivity,
  words: NoticeWords,
): string[] {
  const { address, email, dataProtectionOfficer, representative } = controller
  return [
    [partyName(controller, words), address, email].filter((part) => part !== undefined).join(', '),
    ...(dataProtectionOfficer === undefined ? [] : [words.officer(dataProtectionOfficer)]),
    ...(representative === undefined ? [] : [words.representative(representative)]),
    words.processor(register.processor.name ?? register.processor.member, register.place.territory),
  ]
}

/** For the purpose of the notice, and what of the data is kept less long. */
function howLong(
  { erasure }: ControllerActivity,
  { purpose, words }: { purpose: string; words: NoticeWords },
): string[] {
  const ends = erasure.shorter
    .filter(({ scope, name }) => scope === 'purpose' && isPurposeWithin(purpose, name))
    .map(({ until, period }) => ({ until, period }))
  const [first = erasure] = [...ends, erasure].toSorted((a, b) => (a.until < b.until ? -1 : 1))
  const ofCategories = erasure.shorter.filter(({ scope }) => scope === 'category')
  return [
    words.until(first.until.slice(0, 10), first.period),
    ...(erasure.rows === undefined ? [] : [words.eachRow(erasure.rows.column, erasure.rows.period)]),
    ...ofCategories.map(
      ({ columns = [], until, period }) =>
        `${columns.join(', ')}: ${words.until(until.slice(0, 10), period)}`,
    ),
  ]
}

function whichData({ categories, specialCategoryBasis }: ControllerActivity, words: NoticeWords): string[] {
  const special = categories.filter(({ sensitivity }) => sensitivity === 'special_category')
  return [
    words.columns(categories.map(({ column }) => column).join(', ')),
    ...(special.length > 0 && specialCategoryBasis !== undefined
      ? [words.special(special.map(({ column }) => column).join(', '), specialCategoryBasis)]
      : []),
  ]
}

function whoReceives({ recipients }: ControllerActivity, words: NoticeWords): string[] {
  const received = recipients.map(({ acquirer, countries }) => words.received(acquirer, countries.join(', ')))
  return [words.whoMayAsk, ...(received.length > 0 ? received : [words.nobodyYet])]
}

function whereTo({ perimeter, transfers }: ControllerActivity, words: NoticeWords): string[] {
  return [
    words.releasePlaces(perimeter.release.within.join(', ')),
    ...transfers.flatMap(({ country, ground }) =>
      ground === undefined ? [] : [words.grounds(country, ground)],
    ),
  ]
}

function partyName({ name, member }: ControllerActivity['controller'], words: NoticeWords): string {
  return name ?? words.unknownParty(member)
}
