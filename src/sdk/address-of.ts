import type { Endpoint } from '../kernel/http/endpoint.ts'

/** What fills an address in. */
export interface AddressParts {
  readonly params?: unknown
  readonly query?: unknown
}

/** The whole address of an endpoint at a server, with its parameters filled in; what is `undefined` in the query is left out. */
export function addressOf(
  server: string,
  { path }: Pick<Endpoint, 'path'>,
  { params, query }: AddressParts,
): string {
  const named = recordOf(params)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(textOf(named[name])))
  const url = new URL(`${server.replace(/\/+$/, '')}${filled}`)
  for (const [name, value] of Object.entries(recordOf(query))) {
    if (value !== undefined) url.searchParams.set(name, textOf(value))
  }
  return url.href
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** Parameters are texts, numbers and booleans; anything else is a bug of the caller. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new TypeError('A parameter of a path or query is a text, a number or a boolean')
}
