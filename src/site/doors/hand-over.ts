import type { Door } from '../../kernel/http/door.ts'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { Fault } from '../../kernel/faults.ts'
import { HAND_OVER_API } from '../../protocol/http/hand-over-api.ts'
import { notFound, requireOperator } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { streamOf } from './text-stream.ts'

const MEDIA_TYPES = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson' }

/** The end of a custody: an issuer takes its data sets back, the operator winds the site down. */
export function serveHandOver(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(HAND_OVER_API.handOver, async ({ caller, params, query: { part, format, reason }, broken }) => {
    const found = await acts.findDataSet(params.dataSet)
    // Rows of people are the issuer's; the operator of the site has no business with them.
    if (caller.kind !== 'issuer' || found?.manifest.issuer !== caller.member) throw notFound()
    if (format !== undefined && part !== 'rows')
      throw new Fault('fault.request_malformed', { what: 'Cannot hand over so: a format is of rows alone' })
    const reading = { by: `issuer:${caller.member}`, reason }
    const { form, texts } = await acts.handOver({ manifest: found.manifest, part, format, reading })
    const plain = streamOf(texts, { broken })
    const body = form.isPacked
      ? Readable.toWeb(pipeline(Readable.fromWeb(plain), createGzip(), () => undefined))
      : plain
    return new Response(acts.notedWhole(body, { dataSet: params.dataSet, part, to: caller.member }), {
      headers: {
        'content-type': form.isPacked ? 'application/gzip' : MEDIA_TYPES[form.format],
        'content-disposition': `attachment; filename="${params.dataSet}.${part}.${form.format}${form.isPacked ? '.gz' : ''}"`,
      },
    })
  })
  door.serve(HAND_OVER_API.confirmHandOver, async ({ caller, params, body }) => {
    const found = await acts.findDataSet(params.dataSet)
    if (caller.kind !== 'issuer' || found?.manifest.issuer !== caller.member) throw notFound()
    const arrived = await acts.noteArrival({ ...params, ...body })
    if (arrived) return arrived
    throw new Fault('fault.conflict', {
      what: 'Cannot note it: nothing with this digest was sent to its end',
    })
  })
  door.serve(HAND_OVER_API.windDown, ({ caller, body }) => {
    requireOperator(caller)
    return acts.windDown(body.reason)
  })
}
