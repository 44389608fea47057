import { z } from '@hono/zod-openapi'
import { LIMITS } from '../../kernel/limits.ts'

/** How lists are paged: `cursor` is what the page before gave as `nextCursor`. */
export const pageQuerySchema = z.object({
  cursor: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: 'What the page before gave as "nextCursor".' }),
  limit: z.coerce
    .number('expected a whole number')
    .int('expected a whole number')
    .min(1, 'expected 1 or more')
    .max(LIMITS.pageSizeMax, `expected at most ${LIMITS.pageSizeMax}`)
    .default(LIMITS.pageSizeDefault),
})

/** Where the next page begins; absent on the last one. */
export const nextCursorSchema = z.string().optional()
