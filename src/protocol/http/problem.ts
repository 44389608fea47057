import { z } from '@hono/zod-openapi'

/** RFC 9457 problem document; `code` is from the catalogues of reasons and faults. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    errors: z.array(z.strictObject({ field: z.string(), expected: z.string() })).optional(),
  })
  .openapi('Problem')
export type Problem = z.infer<typeof problemSchema>
