import { z } from '@hono/zod-openapi'
import { Fault } from '../kernel/faults.ts'
import type { Door } from '../kernel/http/door.ts'
import { endpoint } from '../kernel/http/endpoint.ts'
import { LIMITS } from '../kernel/limits.ts'
import { receiptBundleSchema } from '../protocol/decision.ts'
import { RECEIPT_KINDS } from '../protocol/proof/receipt.ts'
import { compactJwsSchema } from '../protocol/wire.ts'
import type { ReceiptLog } from './receipt-log.ts'

const TAG = 'receipts'

/** The log's newest signed statement of its size and root. */
export const getCheckpoint = endpoint({
  method: 'get',
  path: '/checkpoint',
  tag: TAG,
  summary: 'The newest signed checkpoint of the log',
  description: 'A C2SP signed note (tlog-checkpoint). 404 before the first receipt.',
  produces: 'text/plain; charset=utf-8',
  isPublic: true,
})

/** The log's tree and its entries. */
export const getTile = endpoint({
  method: 'get',
  path: '/tile/{path}',
  tag: TAG,
  summary: 'A tile of the log: hashes of its tree, or receipts',
  description: 'C2SP tlog-tiles with the hashing of RFC 6962. A tile never changes and may be kept for ever.',
  params: z.object({ path: z.string().max(100) }),
  produces: 'application/octet-stream',
  isPublic: true,
})

const countText = z.string('expected a whole number').regex(/^\d{1,15}$/, 'expected a whole number')

/** Receipts in order. */
export const listReceipts = endpoint({
  method: 'get',
  path: '/v1/receipts',
  tag: TAG,
  summary: 'Receipts, oldest first',
  query: z.object({
    cursor: countText.optional().openapi({ description: 'What "next" said; absent: from the beginning' }),
    limit: countText
      .optional()
      .refine(
        (text) => text === undefined || (Number(text) >= 1 && Number(text) <= LIMITS.pageSizeMax),
        `expected 1 to ${LIMITS.pageSizeMax}`,
      ),
    kind: z.enum(RECEIPT_KINDS, `expected one of ${RECEIPT_KINDS.join(', ')}`).optional(),
  }),
  response: z.object({
    receipts: z.array(z.object({ sequence: z.int(), receipt: compactJwsSchema })),
    next: z.string().optional().openapi({ description: 'The cursor of the next page; absent on the last' }),
  }),
})

/** One receipt with everything it takes to verify it. */
export const getReceipt = endpoint({
  method: 'get',
  path: '/v1/receipts/{sequence}',
  tag: TAG,
  summary: 'A receipt with its proof and the signed checkpoint, to verify off line',
  params: z.object({ sequence: countText }),
  response: receiptBundleSchema,
})

const FOREVER = 'public, max-age=31536000, immutable'

/** Serves a log at a door: checkpoint and tiles to anybody, the receipts to whoever the door lets in. */
export function serveReceiptLog<Caller>(door: Pick<Door<Caller>, 'serve'>, log: ReceiptLog): void {
  door.serve(getCheckpoint, async () => {
    const note = await log.checkpoint()
    if (note === undefined)
      throw new Fault('fault.not_found', { what: 'Cannot give a checkpoint: the log is empty' })
    return new Response(note, {
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
    })
  })
  door.serve(getTile, async ({ params }) => {
    const bytes = await log.readTile(`tile/${params.path}`)
    if (!bytes) throw new Fault('fault.not_found', { what: 'Cannot give the tile: it is not published' })
    return new Response(new Uint8Array(bytes), {
      headers: { 'content-type': 'application/octet-stream', 'cache-control': FOREVER },
    })
  })
  door.serve(listReceipts, async ({ query }) => {
    const limit = query.limit === undefined ? LIMITS.pageSizeDefault : Number(query.limit)
    const after = query.cursor === undefined ? -1 : Number(query.cursor)
    const rows = await log.list({ after, limit, kind: query.kind })
    const receipts = rows.map(({ sequence, jws }) => ({ sequence, receipt: jws }))
    const last = rows.at(-1)
    return rows.length < limit || !last ? { receipts } : { receipts, next: String(last.sequence) }
  })
  door.serve(getReceipt, ({ params }) => log.bundle(Number(params.sequence)))
}
