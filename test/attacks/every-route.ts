import assert from 'node:assert/strict'
import type { Endpoint } from '../../src/kernel/http/endpoint.ts'

/* Trying each route of a server as somebody. */

/** A request that is right in all but who sends it. */
export interface Call {
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Calls by the names of the routes that they are of. */
export type Calls = Readonly<Record<string, Call>>

/** Each route of a server has been thought of, and each call is one of its route. */
export function requireEveryRoute(
  api: Readonly<Record<string, Endpoint>>,
  { calls, others }: { calls: Calls; others: readonly string[] },
): void {
  assert.deepEqual([...Object.keys(calls), ...others].toSorted(), Object.keys(api).toSorted())
  for (const [name, { path }] of Object.entries(calls)) {
    const pattern = api[name]?.path.replaceAll(/\{\w+\}/g, '[^/]+')
    assert.match(path, new RegExp(`^${pattern}(\\?.*)?$`), name)
  }
}

/** Sends it with a token, or none; of the answer its status and its text. */
export async function send(
  server: string,
  { method, call: { path, body, headers } }: { method: string; call: Call },
  token: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${server}${path}`, {
    method: method.toUpperCase(),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}
