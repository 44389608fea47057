import type { z } from 'zod'
import type { dataRightsDirectorySchema } from '../protocol/http/data-rights-api.ts'
import type {
  RefusalGround,
  RequestEvent,
  RequestKind,
  requestDetailSchema,
  requestViewSchema,
} from '../protocol/http/request-api.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'
import type { PersonScope } from './person.ts'

export type RequestView = z.output<typeof requestViewSchema>
export type DataRightsDirectoryView = z.output<typeof dataRightsDirectorySchema>
export type RequestDetail = z.output<typeof requestDetailSchema>

/** The request desk of a site. */
export interface RequestDesk {
  make(
    scope: PersonScope,
    request: { kind: RequestKind; said?: string | undefined; receivedAt?: string | undefined },
  ): Promise<readonly RequestDetail[]>
  ofPerson(scope: PersonScope): Promise<readonly RequestDetail[]>
  /** Oldest first; `isOpen`: only those that wait for an answer. */
  list(filter: { isOpen: boolean; limit: number }): Promise<readonly RequestView[]>
  find(request: string, reason?: string): Promise<RequestDetail>
  /** Which agents may make requests by the Data Rights Protocol, and of whom. */
  directory(): Promise<DataRightsDirectoryView>
  handle(
    request: string,
    act: {
      event: Exclude<RequestEvent, 'receive'>
      ground?: RefusalGround | undefined
      said?: string | undefined
    },
  ): Promise<RequestDetail>
}

/** The calls of a site's door about requests. */
export function openRequestDesk(client: HttpClient): RequestDesk {
  return {
    make: async ({ ref, issuer, reason }, body) =>
      (await client.call(SITE_API.makeRequest, { params: { ref }, query: { issuer, reason }, body })).items,
    ofPerson: async ({ ref, issuer, reason }) =>
      (await client.call(SITE_API.requestsOfPerson, { params: { ref }, query: { issuer, reason } })).items,
    list: ({ isOpen, limit }) =>
      collectPages(
        (cursor) =>
          client.call(SITE_API.listRequests, {
            query: { cursor, limit: Math.min(limit, 200), open: isOpen ? 'true' : 'false' },
          }),
        limit,
      ),
    find: (request, reason) => client.call(SITE_API.request, { params: { request }, query: { reason } }),
    directory: () => client.call(SITE_API.dataRightsDirectory),
    handle: (request, body) => client.call(SITE_API.handleRequest, { params: { request }, body }),
  }
}
