import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { assessmentFactsSchema } from '../../protocol/http/officer-api.ts'
import type { AssessmentFacts } from '../../protocol/http/officer-api.ts'

/** An assessment that was attached. */
export interface Assessment {
  readonly id: string
  readonly facts: AssessmentFacts
  readonly attachedAt: Instant
  readonly withdrawnAt?: Instant | undefined
}

/** All assessments of a site: in the record, and in memory, where each ask looks. */
export class AssessmentStore {
  readonly #db: Database
  readonly #assessments: Map<string, Assessment>

  private constructor(db: Database, assessments: Map<string, Assessment>) {
    this.#db = db
    this.#assessments = assessments
  }

  static async open(db: Database): Promise<AssessmentStore> {
    const { rows } = await sql<{ id: string; facts: unknown; attached: string; withdrawn: string | null }>`
      select id, facts, attached_ms::text as attached, withdrawn_ms::text as withdrawn from assessment order by attached_ms, id`.execute(
      db,
    )
    const found = rows.map(({ id, facts, attached, withdrawn }) => ({
      id,
      facts: assessmentFactsSchema.parse(facts),
      attachedAt: instant(Number(attached)),
      withdrawnAt: withdrawn === null ? undefined : instant(Number(withdrawn)),
    }))
    return new AssessmentStore(db, new Map(found.map((assessment) => [assessment.id, assessment])))
  }

  list(): readonly Assessment[] {
    return [...this.#assessments.values()]
  }

  find(id: string): Assessment | undefined {
    return this.#assessments.get(id)
  }

  /** Keeps an assessment with what `receipt` writes beside it, in one transaction. */
  async attach(
    assessment: Assessment,
    receipt: (tx: DatabaseTransaction) => Promise<unknown>,
  ): Promise<void> {
    const { id, facts, attachedAt } = assessment
    await this.#db.transaction().execute(async (tx) => {
      await sql`
        insert into assessment (id, data_set, facts, attached_ms)
        values (${id}, ${facts.dataSet}, ${JSON.stringify(facts)}::jsonb, ${attachedAt})`.execute(tx)
      await receipt(tx)
    })
    this.#assessments.set(id, assessment)
  }

  /** Ends an assessment; one that has ended stays as it is. */
  async withdraw(
    { id, now }: { id: string; now: Instant },
    receipt: (tx: DatabaseTransaction) => Promise<unknown>,
  ): Promise<void> {
    const known = this.#assessments.get(id)
    if (!known || known.withdrawnAt !== undefined) return
    await this.#db.transaction().execute(async (tx) => {
      await sql`update assessment set withdrawn_ms = ${now} where id = ${id}`.execute(tx)
      await receipt(tx)
    })
    this.#assessments.set(id, { ...known, withdrawnAt: now })
  }
}
