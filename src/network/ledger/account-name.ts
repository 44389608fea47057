import type { Currency } from '../../kernel/currency.ts'
import type { ACCOUNT_KINDS } from '../../protocol/http/money-api.ts'

export type AccountKind = (typeof ACCOUNT_KINDS)[number]

/** An account without its currency: whose, and what it is for. */
export interface AccountName {
  readonly owner: string
  readonly kind: AccountKind
}

/** The network's own fees and the other side of deposits. */
export const NETWORK_OWNER = 'network'
/** What rounding left over when prices were split. */
export const ROUNDING_OWNER = 'network/rounding'

/** Money that a member may spend. */
export function fundsOf(owner: string): AccountName {
  return { owner, kind: 'funds' }
}

/** Cleared money that the next settlement makes available. */
export function earnedBy(owner: string): AccountName {
  return { owner, kind: 'earned' }
}

/** The bank where the network keeps its members' money: the other side of deposits and withdrawals. */
export const BANK: AccountName = { owner: NETWORK_OWNER, kind: 'bank' }

/** The pool of the share of an issuer's people at a site; the site alone knows whose it is. */
export function subjectsPool(issuer: string, site: string): string {
  return `subjects/${issuer}/${site}`
}

/** One booking: `amountMinor` on the debit side of one account and the credit side of another. */
export interface Posting {
  readonly kind: 'deposit' | 'withdrawal' | 'capture' | 'settlement' | 'credit'
  readonly debit: AccountName
  readonly credit: AccountName
  readonly amountMinor: bigint
  readonly currency: Currency
  readonly party?: string
  readonly ask?: string
  readonly site?: string
  readonly settlement?: string
  readonly reference?: string | undefined
  readonly idempotencyKey?: string
}
