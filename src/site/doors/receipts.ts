import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { notFound, requireReader } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/receipts`, and the log as static files: `/checkpoint` and `/tile/…` (C2SP tlog-tiles), which hold no personal data. */
export function serveReceipts(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.listReceipts, ({ caller, query }) =>
    acts.listReceipts({ ...query, ...requireReader(caller) }),
  )
  door.serve(SITE_API.receipt, async ({ caller, params }) => {
    const bundle = await acts.findReceipt({ ...requireReader(caller), sequence: params.sequence })
    if (!bundle) throw notFound()
    return bundle
  })
  door.serve(SITE_API.checkpoint, async () => {
    const checkpoint = await acts.checkpoint()
    if (checkpoint === undefined) throw notFound()
    return new Response(checkpoint, {
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
    })
  })
  door.serve(SITE_API.tile, async ({ params }) => {
    const tile = await acts.tile(params.path)
    if (!tile) throw notFound()
    // A full tile never changes; a partial one is replaced by a longer name.
    const cacheControl = 'public, max-age=31536000, immutable'
    return new Response(new Uint8Array(tile), {
      headers: { 'content-type': 'application/octet-stream', 'cache-control': cacheControl },
    })
  })
}
