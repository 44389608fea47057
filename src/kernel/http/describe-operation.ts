import type { RouteConfig } from '@hono/zod-openapi'
import { z } from '@hono/zod-openapi'
import type { Endpoint } from './endpoint.ts'

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), expected: z.string() })).optional(),
  })
  .openapi('Problem', {
    description: 'RFC 9457 problem document; "code" is from the catalogues of reasons and faults.',
  })

const idempotencyHeader = z.object({
  'idempotency-key': z.string().min(8).max(100).optional().openapi({
    description:
      'The same key with the same body gives the same answer for seven days, with another body 409.',
  }),
})

/** The OpenAPI form of an endpoint. */
export function describeOperation(endpoint: Endpoint): RouteConfig {
  const { method, path, tag, summary, description } = endpoint
  const body = bodyOf(endpoint)
  return {
    method,
    path,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(endpoint.isPublic === true ? { security: [] } : {}),
    request: {
      ...(endpoint.params === undefined ? {} : { params: endpoint.params }),
      ...(endpoint.query === undefined ? {} : { query: endpoint.query }),
      ...(endpoint.isIdempotent === true ? { headers: idempotencyHeader } : {}),
      ...(body === undefined ? {} : { body }),
    },
    responses: {
      [endpoint.status ?? 200]: { description: 'Done', ...contentOf(endpoint) },
      default: {
        description: 'A problem',
        content: { ...refusalOf(endpoint), 'application/problem+json': { schema: problemSchema } },
      },
    },
  }
}

function bodyOf({
  body,
  stream,
}: Endpoint): { required: true; content: Record<string, { schema: z.ZodType }> } | undefined {
  if (stream) {
    const file = z.string().openapi({ format: 'binary' })
    return {
      required: true,
      content: Object.fromEntries(stream.map((mediaType) => [mediaType, { schema: file }])),
    }
  }
  return body && { required: true, content: { 'application/json': { schema: body } } }
}

function refusalOf({ refusal }: Endpoint): Record<string, { schema: z.ZodType }> {
  return refusal === undefined ? {} : { [refusal.produces]: { schema: refusal.schema } }
}

function contentOf({ response, produces }: Endpoint): { content?: Record<string, { schema: z.ZodType }> } {
  // What is JSON of another kind is any JSON, and no text.
  if (produces !== undefined)
    return { content: { [produces]: { schema: produces.endsWith('+json') ? z.unknown() : z.string() } } }
  return response === undefined ? {} : { content: { 'application/json': { schema: response } } }
}
