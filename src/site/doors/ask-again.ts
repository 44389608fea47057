import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { PEOPLE_AT_ONCE } from '../rights/named-people.ts'
import type { PortionToAsk } from '../rights/people-to-ask.ts'
import { notFound } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { byOf } from './speak-for.ts'
import { streamOf } from './text-stream.ts'

/** `/v1/datasets/{dataSet}/people-to-ask`: for the issuer who knows the people, and nobody else. */
export function serveAskAgain(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.askAgain, async ({ caller, params, query, broken }) => {
    const { reason, cursor, limit, format } = query
    const found = await acts.findDataSet(params.dataSet)
    if (caller.kind !== 'issuer' || found?.manifest.issuer !== caller.member) throw notFound()
    const asked = { manifest: found.manifest, reading: { by: byOf(caller), reason }, cursor }
    if (format === 'ndjson') {
      const lines = linesOf(acts.peopleToAsk({ ...asked, limit: PEOPLE_AT_ONCE }))
      return new Response(streamOf(lines, { broken }), {
        headers: { 'content-type': 'application/x-ndjson' },
      })
    }
    const first = await acts.peopleToAsk({ ...asked, limit }).next()
    if (first.done) return { items: [] }
    const { items, ...more } = first.value
    return { items: [...items], ...more }
  })
}

async function* linesOf(portions: AsyncGenerator<PortionToAsk>): AsyncGenerator<string> {
  for await (const { items } of portions) yield items.map((one) => `${JSON.stringify(one)}\n`).join('')
}
