import type { Door } from '../../kernel/http/door.ts'
import { HAND_OVER_API } from '../../protocol/http/hand-over-api.ts'
import { notFound, requireOperator } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { streamOf } from './text-stream.ts'

/** The end of a custody: an issuer takes its data sets back, the operator winds the site down. */
export function serveHandOver(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(HAND_OVER_API.handOver, async ({ caller, params, query: { part, reason } }) => {
    const found = await acts.findDataSet(params.dataSet)
    // Rows of people are the issuer's; the operator of the site has no business with them.
    if (caller.kind !== 'issuer' || found?.manifest.issuer !== caller.member) throw notFound()
    const reading = { by: `issuer:${caller.member}`, reason }
    const lines = acts.handOver({ manifest: found.manifest, part, reading })
    return new Response(streamOf(lines), {
      headers: {
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename="${params.dataSet}.${part}.ndjson"`,
      },
    })
  })
  door.serve(HAND_OVER_API.windDown, ({ caller, body }) => {
    requireOperator(caller)
    return acts.windDown(body.reason)
  })
}
