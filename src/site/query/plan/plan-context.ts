import type { Outcome } from '../../../protocol/reason.ts'
import type { KeptRows } from '../../../protocol/law/retention.ts'
import type { VaultResult, VaultStatement } from '../../vault/vault.ts'
import type { Dialect } from '../catalogue/catalogue-row.ts'

/** Where a data set lies, for one run. */
export interface PlanRelation {
  /** The table with the rows: `_p` and the stored columns. */
  readonly table: string
  /** The table of eligible people: one unique column `_p`. */
  readonly eligible: string
  /** Numbers given out so far at the site: every `_p` is below. */
  readonly personCount: number
  /**
   * Most rows one person has here, if the vault keeps it. Without it, and where it is more than the manifest's
   * `person.rowsMax`, the plan itself takes no more than those, always the same ones; that costs a window over the table.
   */
  readonly rowsPerPerson?: number | undefined
  /** How many rows there are, if the vault keeps it: only how an answer is collected depends on it. */
  readonly rowCount?: number | undefined
  /** Which rows there are, where some have ended and may not be deleted yet: no other row is read. */
  readonly kept?: KeptRows | undefined
}

/** Where the data of a question lies, for one run. */
export interface PlanContext {
  readonly dialect: Dialect
  /** By the names of the data sets. */
  readonly relations: ReadonlyMap<string, PlanRelation>
  /** In which order people come whose rows are alike, where pseudonyms are shown beside them; else in that of their numbers. */
  readonly order?: PeopleOrder | undefined
}

/** An order of people that nobody knows who does not have these two secret whole numbers, each below `ORDER_MODULUS`. */
export interface PeopleOrder {
  readonly factor: number
  readonly addend: number
}

/** 2^31 - 1, a prime above every number of a person: a product of two numbers below it is a 64-bit number. */
export const ORDER_MODULUS = 2_147_483_647

/** Runs one printed statement: the vault's `run` under the limits of the ask. */
export interface QueryRunner {
  run(statement: VaultStatement): Promise<Outcome<VaultResult>>
}
