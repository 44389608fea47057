import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'

/** The receipt log of a site or network as static files, to anybody: they hold no personal data. */
export const LOG_API = {
  checkpoint: endpoint({
    method: 'get',
    path: '/checkpoint',
    tag: 'log',
    summary: 'The newest signed checkpoint of the log (C2SP tlog-checkpoint)',
    produces: 'text/plain; charset=utf-8',
    isPublic: true,
  }),
  tile: endpoint({
    method: 'get',
    path: '/tile/{path}',
    tag: 'log',
    summary: 'A tile of the log (C2SP tlog-tiles)',
    params: z.object({
      path: z.string().regex(/^(entries|\d{1,2})\/[0-9x/]+(\.p\/\d{1,3})?$/, 'expected the path of a tile'),
    }),
    produces: 'application/octet-stream',
    isPublic: true,
  }),
} as const
