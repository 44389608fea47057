import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { siteIdSchema } from '../wire.ts'

/** The network as a witness of its sites' logs. */
export const WITNESS_API = {
  addCheckpoint: endpoint({
    method: 'post',
    path: '/witness/add-checkpoint',
    tag: 'witness',
    summary: 'Show the witness a checkpoint of a site’s log (C2SP tlog-witness)',
    description:
      'Anybody; the checkpoint must be signed by the log. The body is "old SIZE", a consistency proof from that size, an empty line, and the checkpoint. 200: the cosignature line. 409: the size that the witness saw last, as text/x.tlog.size; or another root at that size. 422: the proof does not hold. 403: not signed by the log. 404: not a log of a site of this network.',
    stream: ['text/plain'],
    produces: 'text/plain; charset=utf-8',
    isPublic: true,
  }),
  witnessed: endpoint({
    method: 'get',
    path: '/witness/{site}/checkpoint',
    tag: 'witness',
    summary: 'The newest checkpoint of a site’s log that the witness saw, with its cosignature',
    params: z.object({ site: siteIdSchema }),
    produces: 'text/plain; charset=utf-8',
    isPublic: true,
  }),
} as const
