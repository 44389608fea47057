import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { answerOf, readText, refusalOf } from '../kernel/http/call-json.ts'
import { againIfClosed, sendRequest } from '../kernel/http/send-request.ts'
import type { HttpClient } from './http-client.ts'

/** Gets what a door gives as a stream of bytes, for what is too long to be held; refusals are those of every call. */
export async function fetchStream(
  client: HttpClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<ReadableStream<Uint8Array>> {
  return (await fetchFile(client, path, query)).body
}

/** What a door gives as a file. */
export interface FetchedFile {
  /** How the door would have it saved; empty where it does not say. It is the server's word: nothing to open a path with. */
  readonly disposition: string
  readonly body: ReadableStream<Uint8Array>
}

/** The same with what the door says of the file. */
export async function fetchFile(
  { server, token, clock }: HttpClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<FetchedFile> {
  const { href: url } = addressOf(server.url, path, query)
  const incoming = await againIfClosed(async (isAgain) =>
    sendRequest({
      url,
      method: 'GET',
      headers: { authorization: `Bearer ${(await token()) ?? ''}` },
      isAgain,
    }),
  )
  const response = answerOf(incoming)
  if (response.status === 200)
    return { disposition: incoming.headers['content-disposition'] ?? '', body: bytesOf(incoming) }
  const text = await readText(incoming).catch(() => '')
  throw refusalOf(response, { text, url, clock })
}

function addressOf(base: string, path: string, query: Readonly<Record<string, string | undefined>>): URL {
  const url = new URL(`${base.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

function bytesOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return Readable.toWeb(incoming)
}
