import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { personExportJsonSchema } from '../../protocol/rights/person-export.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { changeBy } from './grants.ts'
import { requireSubjectSide } from './may.ts'
import { readingOf } from './person-scope.ts'
import { readingBy } from './reading-by.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { speakFor } from './speak-for.ts'

/** `/v1/people/{ref}`: what the site has about one person, for them and for whoever may speak for them. */
export function servePeople(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.listUses, async ({ caller, params, query }) =>
    acts.listUses(await readingBy(caller, { params, query }, acts), query),
  )
  door.serve(SITE_API.earnings, async ({ caller, params, query }) =>
    acts.earnings(await readingBy(caller, { params, query }, acts)),
  )
  door.serve(SITE_API.listAccesses, async ({ caller, params, query }) =>
    acts.listAccesses(await readingBy(caller, { params, query }, acts), query),
  )
  door.serve(SITE_API.personConsents, async ({ caller, params, query }) =>
    acts.personConsents(await readingBy(caller, { params, query }, acts), query.form),
  )
  door.serve(SITE_API.exportPerson, async ({ caller, params, query, broken }) => {
    const reading = await readingBy(caller, { params, query }, acts)
    const { format, part, dataSet } = query
    if (format === 'csv' && (part === undefined || (part === 'rows' && dataSet === undefined))) {
      throw new Fault('fault.request_malformed', {
        what: 'Cannot export as CSV: say which table, and for rows of which data set',
        errors: [
          { field: part === undefined ? 'part' : 'dataSet', expected: 'expected one table of the export' },
        ],
      })
    }
    return acts.exportPerson(reading, { format, part, dataSet, broken })
  })
  door.serve(SITE_API.listObjections, async ({ caller, params, query }) =>
    acts.listObjections(await readingBy(caller, { params, query }, acts)),
  )
  for (const isObjecting of [true, false]) {
    const endpoint = isObjecting ? SITE_API.objectTo : SITE_API.withdrawObjection
    door.serve(endpoint, async ({ caller, params, query: { issuer, dataSet }, idempotencyKey }) => {
      requireSubjectSide(caller)
      const { purpose } = params
      const speaker = await speakFor(caller, { ref: params.ref, issuer }, acts)
      const reading = readingOf(speaker, { params, query: { issuer, reason: 'objects for the person' } })
      const by = changeBy(speaker, idempotencyKey, acts)
      return acts.changeObjection(reading, { purpose, dataSet, isObjecting }, by)
    })
  }
  door.serve(SITE_API.carryHistory, async ({ caller, params, body }) => {
    requireSubjectSide(caller)
    const reading = readingOf(caller, { params, query: { reason: 'carries the history over' } })
    return acts.carryHistory(reading, body.records)
  })
  door.serve(SITE_API.personExportSchema, () =>
    Promise.resolve(
      new Response(JSON.stringify(personExportJsonSchema()), {
        headers: { 'content-type': 'application/schema+json' },
      }),
    ),
  )
}
