import type { Digest } from '../../kernel/digest.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { AcquirerClass } from '../../protocol/member.ts'
import type { Mode } from '../../protocol/mode.ts'
import { isPurposeRefused, isPurposeWithin } from '../../protocol/law/purpose.ts'

/** A use of people's data, as far as the terms of a grant have a say in it. */
export interface TermsUse {
  readonly acquirer: string
  readonly acquirerClass?: AcquirerClass | undefined
  readonly purpose: string
  readonly mode: Mode
  /** Every column that is read, shown or not. */
  readonly columns: readonly string[]
  /** Whether only explicit consent will do (GDPR Art. 9(2)(a)). */
  readonly needsExplicit: boolean
  /** What the subjects' side earns for each person, in minor units of the tariff's currency. */
  readonly subjectsPriceMinor: number
  /** The digest of the text of the data set as it stands, as far as it is about some columns (absent: all). */
  readonly textDigest: (columns: readonly string[] | undefined) => Digest
}

/** Whether terms cover a use, or what is first missing. `price` stands last: it is all that is missing. */
export type TermsVerdict =
  | 'covers'
  | 'text'
  | 'purpose'
  | 'grantee'
  | 'mode'
  | 'explicit'
  | 'column'
  | 'price'

/** Decides one distinct set of terms. Pure; a purpose on the deny list is covered by no terms. */
export function decideTerms(terms: GrantTerms, use: TermsUse): TermsVerdict {
  if (isPurposeRefused(use.purpose)) return 'purpose'
  if (!terms.purposes.some((allowed) => isPurposeWithin(use.purpose, allowed))) return 'purpose'
  if (!isGrantee(terms, use)) return 'grantee'
  // Grants from before texts were kept have none; they were given to the text of their day.
  if (terms.notice !== undefined && terms.notice !== use.textDigest(terms.columns)) return 'text'
  if (!terms.modes.includes(use.mode)) return 'mode'
  if (use.needsExplicit && !terms.isExplicit) return 'explicit'
  if (!use.columns.every((column) => terms.columns?.includes(column) ?? true)) return 'column'
  return terms.minimumPriceMinor <= use.subjectsPriceMinor ? 'covers' : 'price'
}

function isGrantee({ grantee }: GrantTerms, { acquirer, acquirerClass }: TermsUse): boolean {
  if ('member' in grantee) return grantee.member === acquirer
  return 'class' in grantee ? grantee.class === acquirerClass : grantee.anyone
}
