import type { z } from 'zod'
import type { Manifest } from '../protocol/data-set.ts'
import { HAND_OVER_API } from '../protocol/http/hand-over-api.ts'
import type { HAND_OVER_PARTS, windDownSchema } from '../protocol/http/hand-over-api.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { fetchStream } from './fetch-stream.ts'
import type { HttpClient } from './http-client.ts'

/** The end of a custody, as an issuer and the operator call for it. */
export interface HandOver {
  /** The terms of a data set. */
  manifest(dataSet: string): Promise<Manifest>
  /** Its rows or grants, as a file to take in elsewhere. */
  part(
    dataSet: string,
    request: { part: (typeof HAND_OVER_PARTS)[number]; reason: string },
  ): Promise<ReadableStream<Uint8Array>>
  /** The operator's: from then on the site offers nothing. */
  windDown(reason: string): Promise<z.output<typeof windDownSchema>>
}

export function openHandOver(client: HttpClient): HandOver {
  return {
    manifest: async (dataSet) => (await client.call(SITE_API.dataSet, { params: { dataSet } })).manifest,
    part: (dataSet, request) =>
      fetchStream(client, `/v1/datasets/${encodeURIComponent(dataSet)}/hand-over`, request),
    windDown: (reason) => client.call(HAND_OVER_API.windDown, { body: { reason }, isRepeatable: true }),
  }
}
