import { Fault } from '../kernel/faults.ts'
import { refusalOf } from '../kernel/http/call-json.ts'
import type { HttpClient } from './http-client.ts'

/** Gets what a door gives as a stream of bytes, for what is too long to be held; refusals are those of every call. */
export async function fetchStream(
  { server, token, clock }: HttpClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<ReadableStream<Uint8Array>> {
  const url = new URL(`${server.url.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const headers = { authorization: `Bearer ${(await token()) ?? ''}` }
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new Fault('fault.peer_unreachable', { what: `Cannot reach ${url.host}`, cause })
  })
  if (!response.ok) {
    const text = await response.text().catch(() => '')
    throw refusalOf(response, { text, url: url.href, clock })
  }
  return response.body ?? new ReadableStream()
}
