import { OpenAPIHono } from '@hono/zod-openapi'
import { describeOperation } from '../../src/kernel/http/describe-operation.ts'
import type { Endpoint } from '../../src/kernel/http/endpoint.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { typeWords } from '../../src/kernel/http/type-words.ts'
import type { Schema, TypeStyle } from '../../src/kernel/http/type-words.ts'
import { markdownTable } from './markdown.ts'

/** A page for one door: its operations by tag, then the messages that go in and out. */
export function httpPage({ title, endpoints }: { title: string; endpoints: readonly Endpoint[] }): string {
  const app = new OpenAPIHono()
  for (const endpoint of endpoints) app.openAPIRegistry.registerPath(describeOperation(endpoint))
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title, version: '1' },
  }) as unknown as OpenApi
  const operations = endpoints.map((endpoint) => ({
    endpoint,
    operation: document.paths[endpoint.path]?.[endpoint.method] ?? {},
  }))
  const tags = [...new Set(endpoints.map(({ tag }) => tag))]
  const sections = tags.map(
    (tag) =>
      `## ${capitalised(tag)}\n\n${operations
        .filter(({ endpoint }) => endpoint.tag === tag)
        .map(operationText)
        .join('\n')}`,
  )
  const messages = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => `### ${name}\n\n${schemaText(schema)}\n`,
  )
  return `# ${title}

JSON over HTTP; the same as \`/openapi.json\` of the server, which is made from the schemas that validate. Requests carry
\`Authorization: Bearer TOKEN\` unless a heading says *open*. Failures are problem documents ([errors](errors.md)). Lists page with
\`cursor\` and \`limit\`. \`GET /healthz\` (alive), \`/readyz\` (may serve), \`/metrics\` (Prometheus text; that of a site is for its own machine and those that its settings name), \`/docs\` (a page).

Whoever asks more often than [the settings](config.md) let one caller (\`requestRates\`) is answered 429 with \`Retry-After\` in seconds, and
nothing was done. A batch of asks or grants counts as one request. Without a valid token it is the address that counts, for what
has to be verified first: tokens to exchange, messages with a signature, and tokens that are refused. Reading what is open is not counted.

## Tokens

Members, sites and operators prove who they are with a token of their own making, a JWT after RFC 7523. One serves for one request.

| part | what is in it |
| --- | --- |
| header | \`alg\`: \`EdDSA\`; \`typ\`: \`JWT\`; \`kid\`: the thumbprint (RFC 7638) of the caller's public signing key, an Ed25519 JWK |
| \`iss\`, \`sub\` | who calls: the name of the member or site, or \`operator\`; the same in both |
| \`aud\` | whom it is for: the \`name\` that \`GET /v1/network\` gives, or the \`site\` that \`GET /v1/site\` gives |
| \`iat\`, \`exp\` | from when and until when, in seconds since 1970; at most ${LIMITS.tokenLifetimeMsMax / 60_000} minutes apart, and the clocks at most ${LIMITS.clockSkewMsMax / 1000} seconds |
| \`jti\` | an id of 16 to 100 characters that was not used before |

No other claim may be there. What is wrong is one word in the answer (401): \`malformed\`, \`unknown-key\`, \`bad-signature\`, \`wrong-audience\`,
\`expired\`, \`not-yet-valid\`, \`lives-too-long\`, \`replayed\`. Who calls often exchanges one for an access token, with
[TokenRequest](#tokenrequest) as JSON, not as a form, and sends that until it ends. The key of a member made by \`hedgerow member keys\` is the JWK
\`members/NAME/keys/signing.jwk\` under \`HEDGEROW_HOME\`; the one of a site's operator \`operator.jwk\` among the keys of the site.
What an ask is signed and sealed by, and a release opened and a receipt verified, is told at [asks on the wire](asks-on-the-wire.md).

${sections.join('\n')}
## Messages

Fields marked * are required.

${messages.join('\n')}`
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}

function operationText({ endpoint, operation }: { endpoint: Endpoint; operation: Operation }): string {
  const { method, path, summary, description, isPublic, status = 200 } = endpoint
  const parameters = (operation.parameters ?? []).filter((one) => one.in !== 'header')
  const body = Object.entries(operation.requestBody?.content ?? {})
  const answer = Object.entries(operation.responses?.[String(status)]?.content ?? {})
  const lines = [
    ...(endpoint.isIdempotent === true ? ['Takes `Idempotency-Key`.'] : []),
    ...(body.length > 0 ? [`Body: ${contentText(body)}`] : []),
    `Answer: ${status}${answer.length > 0 ? `, ${contentText(answer)}` : ''}`,
  ]
  const table =
    parameters.length === 0
      ? ''
      : `\n${markdownTable(
          ['parameter', 'in', 'type', 'meaning'],
          parameters.map((one) => [
            `\`${one.name}\`${one.required === true ? ' *' : ''}`,
            one.in,
            typeText(one.schema ?? {}),
            one.description ?? '',
          ]),
        )}\n`
  return `### \`${method.toUpperCase()} ${path}\`${isPublic === true ? ' (open)' : ''}\n\n${summary}.${description === undefined ? '' : ` ${description}`}\n${table}\n${lines.map((line) => `- ${line}`).join('\n')}\n`
}

function contentText(content: readonly (readonly [string, { readonly schema?: Schema }])[]): string {
  return content
    .map(([mediaType, { schema = {} }]) =>
      mediaType === 'application/json' ? typeText(schema) : `\`${mediaType}\``,
    )
    .join(', ')
}

function schemaText(schema: Schema): string {
  const head = schema.description === undefined ? '' : `${schema.description}\n\n`
  if (!schema.properties) return `${head}${typeText(schema)}`
  const rows = Object.entries(schema.properties).map(([name, field]) => [
    `\`${name}\`${schema.required?.includes(name) === true ? ' *' : ''}`,
    typeText(field),
    field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
  ])
  return head + markdownTable(['field', 'type', 'default'], rows)
}

/** How Markdown writes them. */
const STYLE: TypeStyle = {
  code: (text) => `\`${text}\``,
  message: (name) => `[${name}](#${name.toLowerCase()})`,
  codes: 'a code (see [errors](errors.md))',
}

function typeText(schema: Schema): string {
  return typeWords(schema, STYLE)
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
