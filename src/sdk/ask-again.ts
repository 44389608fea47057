import type { z } from 'zod'
import { ASK_AGAIN_API } from '../protocol/http/ask-again-api.ts'
import type { personToAskSchema } from '../protocol/http/ask-again-api.ts'
import { collectPages } from './collect-pages.ts'
import { fetchStream } from './fetch-stream.ts'
import type { HttpClient } from './http-client.ts'

export type PersonToAskView = z.output<typeof personToAskSchema>

/** Whom an issuer has to ask again since the text of a data set changed, the first so many. */
export function peopleToAsk(
  client: HttpClient,
  { dataSet, reason, limit }: { dataSet: string; reason: string; limit: number },
): Promise<readonly PersonToAskView[]> {
  return collectPages(
    (cursor) =>
      client.call(ASK_AGAIN_API.askAgain, {
        params: { dataSet },
        query: { reason, cursor, limit: Math.min(limit, 200) },
      }),
    limit,
  )
}

/** All of them, one a line of JSON. */
export function askAgainLines(
  client: HttpClient,
  { dataSet, reason }: { dataSet: string; reason: string },
): Promise<ReadableStream<Uint8Array>> {
  return fetchStream(client, ASK_AGAIN_API.askAgain, {
    params: { dataSet },
    query: { reason, format: 'ndjson' },
  })
}
