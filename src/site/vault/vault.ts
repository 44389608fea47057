import type { Bitset } from '../../kernel/bitset.ts'
import type { ColumnType, Manifest } from '../../protocol/data-set.ts'
import type { Fault } from '../../kernel/faults.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { KeptRows } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Households } from './households.ts'
import type { RowsInMotion } from './rows-in-motion.ts'

/**
 * The vault: the store of people's rows at a site, as a narrow port. DuckDB in process stands behind it; anything
 * that meets these promises may.
 *
 * A person is a dense whole number from 0, stable for ever and never used again; so are several people who stand behind rows
 * together (`households.ts`). A data set `athletes` is the table
 * `ds_athletes`: the column `_p` (INTEGER, the person's number), then the stored columns of its manifest in order
 * (`stored-columns.ts`). The person's key stands in no row. Columns under the person's key are BLOBs.
 */
export interface Vault extends AsyncDisposable {
  /** Resolves when the vault has ended though nobody closed it, for want of disk or by a fault of its engine. */
  readonly ended: Promise<Fault>
  /** Counts beginnings and ends of changes: what was read while it stayed the same was read of the same rows. */
  changes(): number
  /** Data sets whose rows are changing, though the record has not counted it. */
  readonly inMotion: RowsInMotion
  /** Makes the table of a data set, or adds columns to it. Nothing is ever dropped or retyped. */
  describe(manifest: Manifest): Promise<void>
  /** Drops a data set's rows, its people's sealed keys and its table. People keep their numbers. */
  retire(dataSet: DataSetId): Promise<void>

  /**
   * Takes the rows of a batch: whole or not at all, durable when it resolves, and once only, whatever happens in
   * between (a batch whose id is known is left alone and its rows are not read). Others change the vault while the rows come.
   */
  append(batch: BatchOfRows & BeforeShown, rows: RowSource): Promise<TakenBatch>
  /**
   * Takes small batches of several, and whoever they bring, in one transaction: all of it or nothing, once only as above.
   * Numbers have to be what `expectNumbers` said of all their people together.
   */
  takeTogether(arrival: Arrival): Promise<readonly TakenBatch[]>
  /**
   * The same for a batch too long for one go. Rows are set aside in parts, each whole and durable when it resolves;
   * nothing reads them. `from` says how many rows lie there before: a part that lies there already is left alone.
   * Gives how many lie there after. `take` moves all of them into the data set in one transaction.
   */
  setAside(part: BatchOfRows & { readonly from: number }, rows: RowSource): Promise<number>
  /** How many rows of a batch are set aside. */
  rowsAside(batch: VaultBatch): Promise<number>
  take(batch: VaultBatch & BeforeShown): Promise<TakenBatch>
  /** Drops what was set aside. */
  discard(batch: VaultBatch): Promise<void>
  /** Rows of a batch that was taken; `undefined` when it was not. */
  findBatch(batch: VaultBatch): Promise<number | undefined>

  /** Numbers of people by their lookup digests, in the order given; `NOBODY` where there is none. */
  findPeople(lookups: readonly Uint8Array[]): Promise<Int32Array>
  /** The same, but whoever is not known gets the next number. Durable when it resolves. */
  numberPeople(lookups: readonly Uint8Array[]): Promise<Int32Array>
  /** The same, but nobody is given one yet: numbers that people have, and those that the others get next. */
  expectNumbers(lookups: readonly Uint8Array[]): Promise<ExpectedNumbers>
  /** The next new person gets this number or a higher one: those below were given in another life of the site. */
  skipNumbers(next: number): Promise<void>
  /** Changes every digest by which a person is found, all or none; the same renewal again does nothing. */
  renewLookups(renewal: LookupRenewal): Promise<void>
  /** Keeps what is known of people besides rows. A later birth date wins (fail closed); a known residence replaces. */
  keepPrincipals(facts: readonly PersonFacts[]): Promise<void>
  /** Keeps the key an issuer knows a person by, sealed under that person's own key; only for those without one. */
  keepSealedKeys(
    dataSet: DataSetId,
    keys: { readonly people: readonly number[]; readonly seal: (index: number) => Uint8Array },
  ): Promise<void>
  /** Keeps who stands together behind rows; what is known of a household is left alone. */
  keepHouseholds(households: readonly HouseholdFacts[]): Promise<void>
  /** The lookup digest of a person; `undefined` for somebody who was forgotten. */
  lookupOf(person: number): Promise<Uint8Array | undefined>
  /** How many numbers have been given out: the next person's number. */
  personCount(): Promise<number>
  /** Birth dates and residences of everybody, as flat arrays by person number. Kept in memory between changes. */
  principals(): Promise<Principals>
  /** Everybody whom a row of a data set is about, of all rows or some days'. Kept in memory between changes; not to be written to. */
  people(dataSet: DataSetId, days?: RowDays): Promise<Bitset>
  /** The numbers that rows of a data set have: of a person, or of a household whose members they are about. Kept likewise. */
  numbers(dataSet: DataSetId, days?: RowDays): Promise<Bitset>
  /** The numbers that have rows which are among the ones and not among the others; absent: all rows. */
  numbersBetween(
    dataSet: DataSetId,
    kept: { readonly was: KeptRows | undefined; readonly is: KeptRows | undefined },
  ): Promise<Bitset>
  /** The numbers of which other values or rows count by other terms. */
  numbersUnderTerms(dataSet: DataSetId, terms: TermsChange): Promise<Bitset>
  /** Which of these columns have no value in some row. */
  columnsWithGaps(dataSet: DataSetId, columns: readonly string[]): Promise<readonly string[]>
  /** Who stands together behind rows. Kept likewise. */
  households(): Promise<Households>
  /** Most rows that one number has in a data set. Kept in memory between changes. */
  rowsPerPerson(dataSet: DataSetId): Promise<number>
  /** How many rows are past the first so many of their number, and how many numbers have such. */
  rowsPast(dataSet: DataSetId, most: number): Promise<{ readonly rows: number; readonly people: number }>
  /** How many rows it has. */
  rowCount(dataSet: DataSetId): Promise<number>

  /**
   * Runs one SELECT in a read-only transaction. Anything else is a `Fault`. `declined.timeout` when `timeoutMs` has
   * passed and the engine was interrupted, `declined.too_large` past `rowsMax` rows or out of memory.
   * An engine's own message never travels: it may quote a value.
   */
  run(statement: VaultStatement, limits: RunLimits): Promise<Outcome<VaultResult>>

  /** All that `act` reads comes of one engine, which is neither closed nor replaced under it. */
  holding<T>(act: () => Promise<T>): Promise<T>

  /**
   * A table of the people eligible for an ask: one unique INTEGER column `_p`. Equal `cacheKey`s (for example the
   * digest of the terms and the grant sequence) share one table; it stays while it is held, and a while longer.
   */
  withEligible<T>(
    eligible: { readonly people: Bitset; readonly cacheKey: string },
    use: (table: string) => Promise<T>,
  ): Promise<T>

  /** One number's rows of a data set, as stored: sealed columns are still sealed (`person-keys.ts` opens them). */
  listRows(dataSet: DataSetId, person: number, days?: RowDays): Promise<VaultResult>
  /** Rows of many numbers, the number (`_p`) before the stored columns, in the order of numbers. */
  listRowsOf(dataSet: DataSetId, people: readonly number[], days?: RowDays): Promise<VaultResult>
  /** The sealed keys by which a data set's issuer knows people; without those who were forgotten. */
  listSealedKeysOf(dataSet: DataSetId, people: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>>
  /** The sealed keys that issuers know a person by. */
  listSealedKeys(
    person: number,
  ): Promise<readonly { readonly dataSet: DataSetId; readonly sealed: Uint8Array }[]>
  /**
   * Writes other values into one number's rows of a data set, all or those in which columns have given values; gives
   * how many. Sealed columns are given as their bytes. Birth date and residence, where given, replace what is known.
   */
  correct(correction: RowCorrection): Promise<{ readonly rows: number }>
  /** How many rows an expiry would change. */
  countExpiring(expiry: Expiry): Promise<number>
  /** Deletes rows whose retention has ended, or empties columns; the same again finds nothing. */
  expire(expiry: Expiry): Promise<{ readonly rows: number }>
  /**
   * Deletes a person's rows, keys, birth date, residence and lookup digest everywhere. The number stays taken. Rows that are
   * about others too stay for them, without this person, and are in no set that a run may use.
   */
  forget(person: number): Promise<void>
  /** The same of many at once, in the turn of imports: none is under way that could bring rows of theirs afterwards. */
  forgetAll(people: readonly number[]): Promise<void>
  /** People whose last row ended by an expiry and who have had none since, in the order of their numbers after one. */
  listWithoutRows(page: {
    readonly after: number
    readonly limit: number
  }): Promise<readonly PersonWithoutRows[]>

  /** By what it is told from itself at other times; `undefined` where it was never given one. */
  mark(): Promise<string | undefined>
  /** Gives it another. It changes no rows, so that it is none of the `changes`. */
  keepMark(mark: string): Promise<void>

  /**
   * Writes all that is there into a new file that takes the place of the old one, which is removed: what was deleted
   * before this was called is in no file of the vault when it resolves. Reads and writes go on meanwhile. Rows of
   * somebody forgotten while it runs may still be in the new file.
   */
  compact(): Promise<void>

  /**
   * Writes all that is there at one moment into a file of its own inside the vault's directory, and gives its path;
   * reads and writes go on meanwhile. `atMoment` runs at that moment, while no change is under way, so that it must be
   * short. `removeSnapshot` takes the file away.
   */
  snapshot<T>(atMoment: () => Promise<T>): Promise<{ readonly path: string; readonly moment: T }>
  removeSnapshot(): Promise<void>
}

/** Rows by a date of theirs: of a day or later ones; a row without a date is of no day. */
export interface RowDays extends KeptRows {
  /** Rows of these numbers are among them whatever their date. */
  readonly besides?: readonly number[] | undefined
}

/** Terms before and after, and which rows a run uses at all. */
export interface TermsChange {
  readonly was: Manifest
  readonly is: Manifest
  readonly kept: KeptRows | undefined
}

/** What of a data set has ended: all of it, some rows, or some columns; and whose rows are left alone. */
export interface Expiry {
  readonly dataSet: DataSetId
  /** Absent: whole rows. */
  readonly columns?: readonly string[] | undefined
  /** All other rows have ended, those without a date too; absent: every row has. */
  readonly kept?: KeptRows | undefined
  readonly keep: readonly number[]
}

/** Somebody of whom no row is left: what they are found by, and the data set that the last one was of. */
export interface PersonWithoutRows {
  readonly person: number
  readonly lookup: Uint8Array
  readonly dataSet: DataSetId
}

/** How the digests by which people are found change, once. */
export interface LookupRenewal {
  /** The same change again, after a crash, does nothing. */
  readonly id: string
  readonly next: (before: Uint8Array) => Uint8Array
}

/** A value on its way into the vault: a date or timestamp as a text. */
export type CorrectedValue = null | boolean | number | string | Uint8Array

export interface RowCorrection {
  readonly manifest: Manifest
  /** Whose rows: the person's own number, or that of a household that they are in. */
  readonly number: number
  readonly person: number
  readonly set: ReadonlyMap<string, CorrectedValue>
  readonly where: ReadonlyMap<string, CorrectedValue>
  readonly facts: { readonly birthDate?: string | null; readonly residence?: string | null }
  /** Only rows of these days. */
  readonly days?: RowDays | undefined
}

/** Stands for a person who is not known. */
export const NOBODY = -1

export interface VaultBatch {
  readonly dataSet: DataSetId
  /** The idempotency key of these rows. */
  readonly batch: string
}

/** A batch and the manifest by which its rows are laid out. */
export interface BatchOfRows {
  readonly manifest: Manifest
  readonly batch: string
}

/** Numbers by lookup digests in the order given; from `first` on they are those that the people of `newcomers` get, in this order. */
export interface ExpectedNumbers {
  readonly numbers: Int32Array
  readonly first: number
  readonly newcomers: readonly Uint8Array[]
}

/** Small batches that come together, with all that is to be kept of their people. */
export interface Arrival {
  readonly expected: Pick<ExpectedNumbers, 'first' | 'newcomers'>
  /** Each person at most once. */
  readonly facts: readonly PersonFacts[]
  readonly batches: readonly ArrivingBatch[]
}

/** Rows with the keys by which their issuer knows their people, as `keepSealedKeys` takes them. */
export interface ArrivingBatch extends BatchOfRows {
  readonly rows: RowChunk
  readonly people: readonly number[]
  readonly seal: (index: number) => Uint8Array
}

/** Told in the turn of changes, just before anybody can see the rows; what comes before it takes long, and shows nothing. */
export interface BeforeShown {
  readonly beforeShown?: (() => void) | undefined
}

/** What became of a batch. */
export interface TakenBatch {
  /** False: it was there already. */
  readonly isNew: boolean
  readonly rows: number
}

export type RowSource = AsyncIterable<RowChunk> | Iterable<RowChunk>

/** Some rows on their way in, a column at a time: `_p` first, then the stored columns in order. */
export interface RowChunk {
  readonly rowCount: number
  /** The values of one column, in the forms of `VaultValue`. */
  values(column: number): readonly VaultValue[]
}

/**
 * A value as the port shows it, whatever the engine: 64-bit and larger whole numbers are bigints, dates
 * `2026-11-24`, timestamps `2026-11-24T10:00:00.000Z`, decimals texts, BLOBs their bytes, and BITs their bytes least
 * significant bit first, so that `Bitset.fromBytes` reads them (position 0 of the bit string is number 0).
 */
export type VaultValue = null | boolean | number | bigint | string | Uint8Array | readonly VaultValue[]

/** A bound parameter, `$1` first. Dates and timestamps are texts in ISO form. */
export interface VaultParameter {
  readonly type: ColumnType
  readonly value: null | boolean | number | bigint | string
}

export interface VaultStatement {
  readonly sql: string
  readonly parameters?: readonly VaultParameter[]
}

export interface RunLimits {
  readonly timeoutMs: number
  readonly rowsMax: number
}

/** A result, held by columns. */
export interface VaultResult {
  /** Names and the engine's type names, in order. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rowCount: number
  /** One column's values; converted once, when first asked for. */
  column(index: number): readonly VaultValue[]
  /** One numeric column as doubles without making a value per row; null gives NaN. */
  doubles(index: number): Float64Array
  /** One BIT or BLOB column as bytes (see `VaultValue`). */
  bytes(index: number): readonly (Uint8Array | null)[]
  /** One BIT column, or one of lists of INTEGERs, as the sets of numbers that they name; null is nobody. */
  sets(index: number): readonly Bitset[]
  /**
   * One column of lists of STRUCTs, of an INTEGER and then DOUBLEs, without any null, or of lists of DOUBLEs, which are given
   * as they are. Each list is read when it is called for; what one gave is good until the next is.
   */
  listed(index: number): readonly (() => ListedRows)[]
  /** All rows; for small results. */
  rows(): readonly (readonly VaultValue[])[]
  /** The same rows some thousands at a time, each of them a result of its own: values of one are made without those of others. */
  pieces(): readonly VaultResult[]
}

/** The rows of a list, column by column: whose each is, and its values. They lie in the engine's memory: to be read only. */
export type ListedRows =
  | { readonly people: Int32Array; readonly values: readonly Float64Array[] }
  | { readonly doubles: Float64Array }

/** What is known of one person besides rows. */
export interface PersonFacts {
  readonly person: number
  /** `2001-05-31`. */
  readonly birthDate?: string | undefined
  /** ISO 3166-1 alpha-2. */
  readonly residence?: string | undefined
}

/** Several people behind rows: the number of the person in each place, `undefined` where a row names none. */
export interface HouseholdFacts {
  readonly household: number
  readonly members: readonly (number | undefined)[]
}

/** What is known of everybody besides rows, by person number. */
export interface Principals {
  /** Days since 1970-01-01; `UNKNOWN_BIRTH_DAY` where it is not known. */
  readonly birthDay: Int32Array
  /** Index into `countries`; 0 (the empty text) where it is not known. */
  readonly residence: Uint16Array
  /** Two codes with a space between where either may be the residence: the stricter law counts. */
  readonly countries: readonly string[]
}

/** Stands for a birth date that is not known: no date comes near. */
export const UNKNOWN_BIRTH_DAY = -2_147_483_648
