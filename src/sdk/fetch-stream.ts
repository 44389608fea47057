import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { answerOf, readText, refusalOf } from '../kernel/http/call-json.ts'
import type { Endpoint } from '../kernel/http/endpoint.ts'
import { againIfClosed, sendRequest } from '../kernel/http/send-request.ts'
import { addressOf } from './address-of.ts'
import type { AddressParts } from './address-of.ts'
import type { HttpClient } from './http-client.ts'

/** Gets what a door gives as a stream of bytes, for what is too long to be held; refusals are those of every call. */
export async function fetchStream(
  client: HttpClient,
  endpoint: Pick<Endpoint, 'path'>,
  filledWith: AddressParts,
): Promise<ReadableStream<Uint8Array>> {
  return (await fetchFile(client, endpoint, filledWith)).body
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
  endpoint: Pick<Endpoint, 'path'>,
  filledWith: AddressParts,
): Promise<FetchedFile> {
  const url = addressOf(server.url, endpoint, filledWith)
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
  throw refusalOf(response, { text, url, path: endpoint.path, clock })
}

function bytesOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return Readable.toWeb(incoming)
}
