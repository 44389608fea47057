import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { compactJwsSchema } from '../wire.ts'

/** `POST /v1/token` (RFC 7523 §2.1). */
const tokenRequestSchema = z
  .strictObject({
    grant_type: z.literal(
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'expected "urn:ietf:params:oauth:grant-type:jwt-bearer"',
    ),
    assertion: compactJwsSchema,
  })
  .openapi('TokenRequest')
export const tokenSchema = z
  .strictObject({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int().min(0) })
  .openapi('Token')

/** Where a server, network or site, gives access tokens. */
export function tokenEndpoint(tag: 'network' | 'site') {
  return endpoint({
    method: 'post',
    path: '/v1/token',
    tag,
    summary: 'Exchange a client assertion for an access token (RFC 7523)',
    description: 'The token is bound to whoever signed the assertion and lives five minutes.',
    body: tokenRequestSchema,
    response: tokenSchema,
    isPublic: true,
    isExchange: true,
  })
}
