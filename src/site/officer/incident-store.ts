import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { incidentRequestSchema, incidentStepSchema } from '../../protocol/http/officer-api.ts'
import type { IncidentRequest, IncidentStep } from '../../protocol/http/officer-api.ts'

/** An incident as it was reported, and every step since. */
export interface Incident {
  readonly id: string
  /** `operator`, or the issuer that reported it. */
  readonly openedBy: string
  readonly facts: IncidentRequest
  readonly openedAt: Instant
  readonly steps: readonly { readonly at: Instant; readonly step: IncidentStep }[]
}

export async function insertIncident(db: Database, incident: Omit<Incident, 'steps'>): Promise<void> {
  const { id, openedBy, facts, openedAt } = incident
  await sql`
    insert into incident (id, opened_by, facts, opened_ms)
    values (${id}, ${openedBy}, ${JSON.stringify(wireFacts(facts))}::jsonb, ${openedAt})`.execute(db)
}

export async function insertIncidentStep(
  db: Database,
  { incident, step, by, at }: { incident: string; step: IncidentStep; by: string; at: Instant },
): Promise<void> {
  await sql`
    insert into incident_step (incident, step, taken_by, taken_ms)
    values (${incident}, ${JSON.stringify(step)}::jsonb, ${by}, ${at})`.execute(db)
}

/** All incidents, newest first; or the one of this id. */
export async function readIncidents(db: Database, id?: string): Promise<readonly Incident[]> {
  const which = id === undefined ? sql`true` : sql`i.id = ${id}`
  const { rows } = await sql<IncidentRow>`
    select i.id, i.opened_by, i.facts, i.opened_ms::text as opened,
      (select coalesce(jsonb_agg(jsonb_build_object('at', s.taken_ms, 'step', s.step) order by s.id), '[]')
        from incident_step s where s.incident = i.id) as steps
    from incident i where ${which} order by i.opened_ms desc, i.id desc`.execute(db)
  return rows.map(({ id: incident, opened_by, facts, opened, steps }) => ({
    id: incident,
    openedBy: opened_by,
    facts: incidentRequestSchema.parse(facts),
    openedAt: instant(Number(opened)),
    steps: steps.map(({ at, step }) => ({ at: instant(at), step: incidentStepSchema.parse(step) })),
  }))
}

/** Times as texts, which is how the schema reads them back. */
function wireFacts({ awareAt, scope, ...rest }: IncidentRequest): unknown {
  return {
    ...rest,
    awareAt: formatInstant(awareAt),
    scope:
      scope.kind === 'releases'
        ? { ...scope, from: formatInstant(scope.from), to: formatInstant(scope.to) }
        : scope,
  }
}

interface IncidentRow {
  readonly id: string
  readonly opened_by: string
  readonly facts: unknown
  readonly opened: string
  readonly steps: readonly { readonly at: number; readonly step: unknown }[]
}
