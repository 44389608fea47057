import { formatMoney, money } from '../../kernel/money.ts'
import type { Digest } from '../../kernel/digest.ts'
import { consentTextDigest } from './consent-text.ts'
import { minimumPeopleOf } from '../data-set.ts'
import type { Manifest } from '../data-set.ts'
import type { GrantTerms } from './grant.ts'
import { isConsentBasis } from '../law/legal-basis.ts'
import type { Mode } from '../mode.ts'
import { basisName, categoryName, dayText, memberName, placeName, placeNames } from '../words/plain-words.ts'
import { purposeLabel } from '../law/purpose.ts'

/** What a grant would allow, before it is given: questions and answers in plain words, and the text they rest on. */
export interface GrantPreview {
  /** The digest to give the grant with: if the text changes meanwhile, the grant is refused. */
  readonly notice: Digest
  readonly answers: readonly { readonly question: string; readonly answer: string }[]
}

/**
 * Says who could use what, for what, where, how often and for what money (DGA Art. 12(m), (n); GDPR Art. 7(2), 12(1)).
 * Made from the data set's terms and the grant's, nothing of it is written by hand.
 */
export function previewGrant(
  terms: GrantTerms,
  {
    manifest,
    site,
    validUntil,
    bases = [],
    names = new Map(),
  }: {
    manifest: Manifest
    site: PreviewSite
    validUntil?: string | undefined
    /** What bases other than consent rest on today, in words. */
    bases?: readonly string[]
    /** What members are called. */
    names?: ReadonlyMap<string, string> | undefined
  },
): GrantPreview {
  const called = (id: string) => memberName(id, names.get(id))
  const answers: readonly (readonly [string, string])[] = [
    ['Who could use it?', whoText(terms, called)],
    ['For what?', purposesText(terms)],
    ['Which data?', columnsText(terms, manifest)],
    ['What would leave?', terms.modes.map((mode) => MODE_TEXTS[mode](manifest, terms)).join(' ')],
    [
      'From which countries would they see the result?',
      `From ${placeNames(manifest.perimeter.release.within)}. ${stayText(terms, `${placeName(site.territory)}, at ${called(site.custodian)}`)}`,
    ],
    ['How often?', timeText(validUntil)],
    ['For what money?', moneyText(terms, manifest)],
    ['Must I?', 'No. If you refuse, or withdraw later, you lose nothing and nobody outside learns of it.'],
    [
      'How do I withdraw?',
      'In one step, where you give it. From that moment nobody’s use has your data in it; what has left before cannot be called back.',
    ],
    [
      'Who answers for it?',
      `${called(manifest.issuer)}. You may see every use, take your data along, have it corrected or erased, object, and complain to the supervisory authority.`,
    ],
    ...(isConsentBasis(manifest.legalBasis) ? [] : [basisText(manifest, bases)]),
  ]
  return {
    notice: consentTextDigest(manifest, terms.columns),
    answers: answers.map(([question, answer]) => ({ question, answer })),
  }
}

/** Where the data is. */
export interface PreviewSite {
  readonly custodian: string
  readonly territory: string
}

function whoText({ grantee }: GrantTerms, called: (id: string) => string): string {
  if ('member' in grantee) return `Only ${called(grantee.member)}.`
  return 'class' in grantee
    ? `Every ${CLASS_TEXTS[grantee.class] ?? grantee.class} that is a member of the network, also those that join later.`
    : 'Every member of the network that asks, of whatever kind, also those that join later.'
}

const CLASS_TEXTS: Readonly<Record<string, string>> = {
  insurer: 'insurer',
  researcher: 'researcher or research body',
  advertiser: 'advertiser',
  employer: 'employer',
  'equipment-maker': 'maker of equipment',
  'public-body': 'public body',
  publisher: 'publisher',
}

function purposesText({ purposes }: GrantTerms): string {
  return `${purposes.map(purposeLabel).join('; ')}, and what is a narrower kind of it. Never to worsen insurance, to exclude you from a service, to decide about a job, or to find out who you are.`
}

/** The columns that a grant is about, of those that anybody may use. */
function coveredColumns({ columns }: GrantTerms, manifest: Manifest): Manifest['columns'] {
  return manifest.columns.filter(
    ({ name, sensitivity }) =>
      (sensitivity === 'ordinary' || sensitivity === 'special_category') && (columns?.includes(name) ?? true),
  )
}

function hasSpecial(columns: Manifest['columns']): boolean {
  return columns.some(({ sensitivity }) => sensitivity === 'special_category')
}

function columnsText(terms: GrantTerms, manifest: Manifest): string {
  const covered = coveredColumns(terms, manifest)
  const named = covered.map(({ name, description, category, sensitivity }) => {
    const meaning = description ?? (category === undefined ? undefined : categoryName(category))
    const words = meaning === undefined || meaning === name ? name : `${name}: ${meaning}`
    return sensitivity === 'special_category' ? `${words}, which the law protects specially` : words
  })
  const needs =
    hasSpecial(covered) && !terms.isExplicit
      ? ' The specially protected ones only if you say so expressly.'
      : ''
  const shared = manifest.person.others
    ? ' What is about you and somebody else only if both of you allow it.'
    : ''
  return `From “${manifest.title}”: ${named.join('; ') || 'nothing'}. Never your name or what you wrote.${shared}${needs}`
}

const MODE_TEXTS: Readonly<Record<Mode, (manifest: Manifest, terms: GrantTerms) => string>> = {
  aggregate: groupsText,
  private: () =>
    'Numbers about groups, blurred by chance so that nobody can tell whether you are among them.',
  rows: () =>
    'Your single rows, under a name that only this one sees. Whoever knows you may recognise you by what stands in them.',
  function: () => 'What a program gives that was run where the data is, about groups of people.',
}

function groupsText(manifest: Manifest, terms: GrantTerms): string {
  const [least, ofSpecial] = [minimumPeopleOf(manifest, false), minimumPeopleOf(manifest, true)]
  const isMore = ofSpecial > least && hasSpecial(coveredColumns(terms, manifest))
  const special = isMore ? `, at least ${ofSpecial} where specially protected data is used` : ''
  return `Numbers about groups of at least ${least} people${special}; never yours alone.`
}

function stayText({ modes }: GrantTerms, place: string): string {
  return modes.includes('rows')
    ? `Only single rows are given on, as said above; all else stays in ${place}.`
    : `The data itself stays in ${place}, and nobody else gets it.`
}

function timeText(validUntil: string | undefined): string {
  const end = validUntil === undefined ? 'until you withdraw it' : `until ${dayText(validUntil)}`
  return `As often as somebody pays for it, ${end}. Each use stands in your history.`
}

function moneyText({ minimumPriceMinor }: GrantTerms, { tariff, splits }: Manifest): string {
  const { currency } = tariff
  const share = `${splits.subjects / 100} % of each price goes to the people in the answer, in equal parts`
  const highest = formatMoney(money(tariff.capMinor, currency))
  const least =
    minimumPriceMinor === 0
      ? 'You ask for no least price.'
      : `Only if each person earns at least ${formatMoney(money(minimumPriceMinor, currency))}.`
  return `${share}; one answer costs at most ${highest}. ${least}`
}

function basisText({ legalBasis }: Manifest, bases: readonly string[]): readonly [string, string] {
  return [
    'What happens without it?',
    bases.length === 0
      ? `Nothing: on the legal basis of ${basisName(legalBasis)} something would have to be recorded before the data set may be used without your grant.`
      : `On the legal basis of ${basisName(legalBasis)} the data set may be used for groups of people without your grant, resting on ${bases.join('; ')}; you may object to a purpose at any time.`,
  ]
}
