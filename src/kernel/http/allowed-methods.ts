import type { OpenAPIHono } from '@hono/zod-openapi'

/**
 * The methods that an address takes, in the form of `Allow` (RFC 9110 §10.2.1); none where there is no such address. Whoever may
 * read an address may also ask what reading it would say (`HEAD`).
 */
export function allowedMethods({ router, routes }: OpenAPIHono, path: string): readonly string[] {
  const handlers = (method: string) => router.match(method, path)[0].length
  // What runs at every address, whatever the method, serves none.
  const everywhere = handlers('ALL')
  const served = [...new Set(routes.map(({ method }) => method))].filter(
    (method) => method !== 'ALL' && handlers(method) > everywhere,
  )
  return served.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).toSorted()
}
