import { DPV_PURPOSES } from './dpv-purposes.ts'

/**
 * Purposes: terms of the W3C Data Privacy Vocabulary (`dpv:AcademicResearch`), and a few of our own (`hedgerow:…`)
 * for what the vocabulary has no word for. Our own are all refused, whatever anybody agreed to.
 */

/** A purpose that is refused, with what refuses it. */
export interface RefusedPurpose {
  readonly label: string
  readonly source: string
}

/**
 * The deny list that no consent overrides (product: Grants). Terms of ours stand in no tree, so no grant covers them
 * either. Sources as known on 2026-11-24; EHDS Art. 54 binds from 2029-03-26 and is taken as the measure today.
 */
export const REFUSED_PURPOSES: Readonly<Record<string, RefusedPurpose>> = {
  'hedgerow:WorsenInsuranceTerms': {
    label: 'Raise premiums or worsen the terms of insurance',
    source: 'Regulation (EU) 2025/327 (EHDS) Art. 54; Regulation (EU) 2024/1689 Annex III 5(c)',
  },
  'hedgerow:ExcludeFromService': {
    label: 'Exclude people from insurance, credit or another good or service',
    source: 'Regulation (EU) 2025/327 (EHDS) Art. 54',
  },
  'hedgerow:RefuseEmployment': {
    label: 'Decide against people in job offers or employment',
    source: 'Regulation (EU) 2025/327 (EHDS) Art. 54',
  },
  'hedgerow:DevelopHarmfulProducts': {
    label: 'Develop products that harm people or society',
    source: 'Regulation (EU) 2025/327 (EHDS) Art. 54',
  },
  'hedgerow:ReIdentification': {
    label: 'Find out who somebody in a release is',
    source: 'Regulation (EU) 2022/868 (DGA) Art. 5(5)',
  },
  'hedgerow:AdvertiseToMinors': {
    label: 'Advertise to minors by what is known of them',
    source: 'Regulation (EU) 2022/2065 (DSA) Art. 28(2); GDPR recital 38',
  },
  'hedgerow:DecideOnMinorsAutomatically': {
    label: 'Solely automated decisions about minors',
    source: 'GDPR Art. 22 with recital 71',
  },
  'hedgerow:SocialScoring': {
    label: 'Score people by their social behaviour',
    source: 'Regulation (EU) 2024/1689 (AI Act) Art. 5(1)(c)',
  },
  'dpv:RecruitmentApplicantCriminalBackgroundCheck': {
    label: 'Check applicants for a criminal past',
    source: 'GDPR Art. 10: only under the control of official authority; consent is no basis',
  },
}

/**
 * Purposes for which nobody under 18 takes part, whatever a guardian agreed to: marketing in every form, and what
 * singles people out for it (DSA Art. 28(2); GDPR recitals 38 and 71).
 */
export const REFUSED_FOR_MINORS: readonly string[] = ['dpv:Marketing', 'dpv:CustomerSolvencyMonitoring']

/** Age below which a person is a minor (UN Convention on the Rights of the Child, Art. 1), in years. */
export const MINOR_UNDER_AGE = 18

/** Whether a term is a purpose at all: in the vocabulary's table (its root is not), or one of ours. */
export function isKnownPurpose(purpose: string): boolean {
  return Object.hasOwn(REFUSED_PURPOSES, purpose) || dpvTermOf(purpose) !== undefined
}

/**
 * Whether what is asked is the same as what is allowed or narrower, through the tree of the vocabulary, in which a
 * term may have several parents (GDPR Art. 5(1)(b)). A term that is not known is within nothing.
 */
export function isPurposeWithin(asked: string, allowed: string): boolean {
  const askedTerm = dpvTermOf(asked)
  const allowedTerm = dpvTermOf(allowed)
  if (askedTerm === undefined || allowedTerm === undefined) return false
  return broaderTerms(askedTerm).has(allowedTerm)
}

/** Whether a purpose is refused to everybody: on the deny list, narrower than what is on it, or no known purpose. */
export function isPurposeRefused(purpose: string): boolean {
  if (!isKnownPurpose(purpose)) return true
  return Object.keys(REFUSED_PURPOSES).some(
    (refused) => purpose === refused || isPurposeWithin(purpose, refused),
  )
}

/** Whether people under 18 are left out of every use for this purpose. */
export function isPurposeRefusedForMinors(purpose: string): boolean {
  return isPurposeRefused(purpose) || REFUSED_FOR_MINORS.some((refused) => isPurposeWithin(purpose, refused))
}

/** The words of a purpose for people, for example `Academic Research`; the term itself where there are none. */
export function purposeLabel(purpose: string): string {
  const term = dpvTermOf(purpose)
  return (term === undefined ? REFUSED_PURPOSES[purpose]?.label : DPV_PURPOSES[term]?.label) ?? purpose
}

/** The term of a purpose that was typed: as it is, or by what it is called (`Academic Research`), however it is cased. */
export function purposeTerm(typed: string): string {
  const wanted = typed.trim().toLowerCase()
  const found = Object.entries(DPV_PURPOSES).find(([, { label }]) => label.toLowerCase() === wanted)
  return found === undefined ? typed : `dpv:${found[0]}`
}

const broaderByTerm = new Map<string, ReadonlySet<string>>()

/** The term and all that are broader; the table is fixed, so each is worked out once. */
function broaderTerms(term: string): ReadonlySet<string> {
  const known = broaderByTerm.get(term)
  if (known) return known
  const found = new Set<string>()
  const open = [term]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(DPV_PURPOSES[next]?.parents ?? []))
  }
  broaderByTerm.set(term, found)
  return found
}

function dpvTermOf(purpose: string): string | undefined {
  if (!purpose.startsWith('dpv:')) return undefined
  const term = purpose.slice('dpv:'.length)
  return Object.hasOwn(DPV_PURPOSES, term) ? term : undefined
}
