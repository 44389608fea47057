import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { contractFactsSchema } from '../../protocol/law/processing-contract.ts'
import type { ContractFacts } from '../../protocol/law/processing-contract.ts'

/** A contract with its life. */
export interface StoredContract {
  readonly id: string
  readonly facts: ContractFacts
  readonly recordedAt: Instant
  /** `operator` or `issuer:NAME`. */
  readonly recordedBy: string
  /** That the other party said that it stands. */
  readonly confirmed?: { readonly at: Instant; readonly by: string } | undefined
  readonly end?: { readonly at: Instant; readonly reason: string } | undefined
  /** Until when the custodian's word alone carried it, where that was recorded before it took two. */
  readonly aloneUntil?: Instant | undefined
}

/** All contracts of a site: in the record, and in memory, where each ask looks. They are few. */
export class ContractStore {
  readonly #db: Database
  #contracts: readonly StoredContract[] = []
  /** Ends that are being written: they hold before the record has them, and no longer if it never does. */
  readonly #ending = new Set<string>()

  private constructor(db: Database) {
    this.#db = db
  }

  static async open(db: Database): Promise<ContractStore> {
    const store = new ContractStore(db)
    await store.#read()
    return store
  }

  /** In the order in which they were recorded. */
  list(): readonly StoredContract[] {
    return this.#contracts
  }

  find(id: string): StoredContract | undefined {
    return this.#contracts.find((contract) => contract.id === id)
  }

  /** Those under which something may run now, as far as their dates go. */
  standing(): readonly StoredContract[] {
    return this.#contracts.filter(
      (contract) => contract.end === undefined && !this.#ending.has(contract.id) && isAgreed(contract),
    )
  }

  /** Runs an act that ends some: nothing stands on them from now on. What is true afterwards is read from the record. */
  async ending<T>(ids: readonly string[], act: () => Promise<T>): Promise<T> {
    for (const id of ids) this.#ending.add(id)
    try {
      return await act()
    } finally {
      await this.#read()
      for (const id of ids) this.#ending.delete(id)
    }
  }

  async #read(): Promise<void> {
    const { rows } = await sql<ContractRow>`
      select c.*, e.ended_ms, e.reason, f.confirmed_ms, f.confirmed_by, a.until_ms from processing_contract c
      left join processing_contract_alone a on a.contract = c.id
      left join processing_contract_end e on e.contract = c.id
      left join processing_contract_confirmation f on f.contract = c.id order by c.number`.execute(this.#db)
    this.#contracts = rows.map(storedOf)
  }
}

/** Whether the controller has said that it stands: it recorded the contract, or confirmed what the custodian recorded. */
export function isAgreed(contract: StoredContract): boolean {
  return isRecordedByController(contract) || contract.confirmed !== undefined
}

export function isRecordedByController({ facts, recordedBy }: StoredContract): boolean {
  return recordedBy === `issuer:${facts.controller}`
}

export async function insertContract(
  tx: DatabaseTransaction,
  { id, facts, now, by }: { id: string; facts: ContractFacts; now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into processing_contract (id, facts, recorded_ms, recorded_by)
    values (${id}, ${JSON.stringify(wireContract(facts))}::jsonb, ${now}, ${by})`.execute(tx)
}

export async function insertConfirmation(
  tx: DatabaseTransaction,
  { contract, now, by }: { contract: string; now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into processing_contract_confirmation (contract, confirmed_ms, confirmed_by)
    values (${contract}, ${now}, ${by})`.execute(tx)
}

export async function insertContractEnd(
  tx: DatabaseTransaction,
  end: { contract: string; sequence: number; reason: string; now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into processing_contract_end (contract, sequence, reason, ended_ms, ended_by)
    values (${end.contract}, ${end.sequence}, ${end.reason}, ${end.now}, ${end.by})`.execute(tx)
}

/** The facts of a contract in their wire form, as they are kept and shown. */
export function wireContract(facts: ContractFacts) {
  const { validFrom, validUntil, ...others } = facts
  return {
    ...others,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
  }
}

interface ContractRow {
  readonly id: string
  readonly facts: unknown
  readonly recorded_ms: bigint
  readonly recorded_by: string
  readonly ended_ms: bigint | null
  readonly reason: string | null
  readonly confirmed_ms: bigint | null
  readonly confirmed_by: string | null
  readonly until_ms: bigint | null
}

function storedOf(row: ContractRow): StoredContract {
  const { id, facts, recorded_ms, recorded_by, ended_ms, reason, confirmed_ms, confirmed_by, until_ms } = row
  return {
    id,
    facts: contractFactsSchema.parse(facts),
    recordedAt: instant(Number(recorded_ms)),
    recordedBy: recorded_by,
    ...(confirmed_ms === null
      ? {}
      : { confirmed: { at: instant(Number(confirmed_ms)), by: confirmed_by ?? '' } }),
    ...(ended_ms === null ? {} : { end: { at: instant(Number(ended_ms)), reason: reason ?? '' } }),
    ...(until_ms === null ? {} : { aloneUntil: instant(Number(until_ms)) }),
  }
}
