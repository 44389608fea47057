import type { z } from 'zod'
import type { Manifest } from '../protocol/data-set.ts'
import { HAND_OVER_API } from '../protocol/http/hand-over-api.ts'
import type {
  HAND_OVER_FORMATS,
  HAND_OVER_PARTS,
  handOverArrivalSchema,
  windDownSchema,
} from '../protocol/http/hand-over-api.ts'
import type { Digest } from '../kernel/digest.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { fetchFile } from './fetch-stream.ts'
import type { HttpClient } from './http-client.ts'

export interface HandOverRequest {
  readonly part: (typeof HAND_OVER_PARTS)[number]
  readonly reason: string
  /** Of rows; absent: as they were received. */
  readonly format?: (typeof HAND_OVER_FORMATS)[number] | undefined
}

/** A part of a data set as a file to take in elsewhere. */
export interface HandOverFile {
  /** How a name of such a file ends. */
  readonly ending: string
  readonly body: ReadableStream<Uint8Array>
}

/** The end of a custody, as an issuer and the operator call for it. */
export interface HandOver {
  /** The terms of a data set. */
  manifest(dataSet: string): Promise<Manifest>
  /** Its rows or grants, as a file to take in elsewhere. */
  part(dataSet: string, request: HandOverRequest): Promise<ReadableStream<Uint8Array>>
  /** The same, with what kind of file it is. */
  file(dataSet: string, request: HandOverRequest): Promise<HandOverFile>
  /** That a part arrived whole, by the digest of what was read. */
  confirm(
    dataSet: string,
    arrived: { part: HandOverRequest['part']; digest: Digest },
  ): Promise<z.output<typeof handOverArrivalSchema>>
  /** The operator's: from then on the site offers nothing. */
  windDown(reason: string): Promise<z.output<typeof windDownSchema>>
}

export function openHandOver(client: HttpClient): HandOver {
  const file = async (dataSet: string, request: HandOverRequest): Promise<HandOverFile> => {
    const { disposition, body } = await fetchFile(client, HAND_OVER_API.handOver, {
      params: { dataSet },
      query: request,
    })
    return { ending: /\.((?:csv|ndjson)(?:\.gz)?)"$/.exec(disposition)?.[1] ?? 'ndjson', body }
  }
  return {
    manifest: async (dataSet) => (await client.call(SITE_API.dataSet, { params: { dataSet } })).manifest,
    part: async (dataSet, request) => (await file(dataSet, request)).body,
    file,
    confirm: (dataSet, body) =>
      client.call(HAND_OVER_API.confirmHandOver, { params: { dataSet }, body, isRepeatable: true }),
    windDown: (reason) => client.call(HAND_OVER_API.windDown, { body: { reason }, isRepeatable: true }),
  }
}
