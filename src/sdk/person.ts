import type { z } from 'zod'
import type { EstablishGuardianship } from '../protocol/consent/guardianship.ts'
import type { ConsentRecordForm } from '../protocol/http/consent-record-api.ts'
import { CARRIED_PER_REQUEST_MAX } from '../protocol/http/person-api.ts'
import type {
  ExportFormat,
  accessViewSchema,
  changedSchema,
  earningsViewSchema,
  objectionViewSchema,
  useViewSchema,
} from '../protocol/http/person-api.ts'
import type { CarriedRecord } from '../protocol/rights/person-export.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { collectPages } from './collect-pages.ts'
import { fetchStream } from './fetch-stream.ts'
import type { BasisView } from './officer.ts'
import type { SentNotice } from './rights.ts'
import type { HttpClient } from './http-client.ts'

export type UseView = z.output<typeof useViewSchema>
export type EarningsView = z.output<typeof earningsViewSchema>
export type ObjectionView = z.output<typeof objectionViewSchema>
export type ConsentChanged = z.output<typeof changedSchema>
export type AccessView = z.output<typeof accessViewSchema>

/** Whose data, and why somebody else than the person looks at it. */
export interface PersonScope {
  /** `me`, or the key by which the issuer knows the person. */
  readonly ref: string
  readonly issuer?: string | undefined
  readonly reason?: string | undefined
}

/** What a site has about one person. */
export interface PersonRecords {
  uses(limit: number): Promise<readonly UseView[]>
  earnings(): Promise<EarningsView>
  accesses(limit: number): Promise<readonly AccessView[]>
  /** Who was told of corrections and restrictions, and what they answered. */
  notices(): Promise<readonly SentNotice[]>
  /** The export as it comes. CSV makes one table each: `part`, and for rows `dataSet`. */
  export(request: {
    format: ExportFormat
    part?: string | undefined
    dataSet?: string | undefined
    /** Another reason than that of all calls. */
    reason?: string
  }): Promise<ReadableStream<Uint8Array>>
  /** On which bases other than consent the data may be used. */
  bases(): Promise<readonly BasisView[]>
  /** Records or a receipt of ISO/IEC TS 27560, as JSON-LD text. */
  consents(form: ConsentRecordForm): Promise<string>
  objections(): Promise<readonly ObjectionView[]>
  /** Objects to a purpose, on one data set or on all of the issuer; in force when it resolves. */
  objectTo(purpose: string, dataSet?: string): Promise<ConsentChanged>
  withdrawObjection(purpose: string, dataSet?: string): Promise<ConsentChanged>
  /** As the issuer: establishes a guardian of the person. */
  establishGuardian(facts: EstablishGuardianship): Promise<void>
  /** Takes over records of other sites. */
  carry(records: readonly CarriedRecord[]): Promise<{ readonly carried: number; readonly known: number }>
}

/** The calls of a site's door about one person. */
export function openPersonRecords(client: HttpClient, { ref, issuer, reason }: PersonScope): PersonRecords {
  const params = { ref }
  const scope = { issuer, reason }
  return {
    uses: (limit) =>
      collectPages(
        (cursor) =>
          client.call(SITE_API.listUses, {
            params,
            query: { ...scope, cursor, limit: Math.min(limit, 200) },
          }),
        limit,
      ),
    notices: async () => (await client.call(SITE_API.personNotices, { params, query: scope })).items,
    earnings: () => client.call(SITE_API.earnings, { params, query: scope }),
    accesses: (limit) =>
      collectPages(
        (cursor) =>
          client.call(SITE_API.listAccesses, {
            params,
            query: { ...scope, cursor, limit: Math.min(limit, 200) },
          }),
        limit,
      ),
    export: (request) =>
      fetchStream(client, SITE_API.exportPerson, { params, query: { ...scope, ...request } }),
    bases: async () => (await client.call(SITE_API.personBases, { params, query: scope })).items,
    consents: (form) => client.text(SITE_API.personConsents, { params, query: { ...scope, form } }),
    objections: async () => (await client.call(SITE_API.listObjections, { params, query: scope })).items,
    objectTo: (purpose, dataSet) =>
      client.call(SITE_API.objectTo, { params: { ref, purpose }, query: { issuer, dataSet } }),
    withdrawObjection: (purpose, dataSet) =>
      client.call(SITE_API.withdrawObjection, { params: { ref, purpose }, query: { issuer, dataSet } }),
    establishGuardian: async (body) => {
      await client.call(SITE_API.establishGuardianship, { params, body, isRepeatable: true })
    },
    carry: async (records) => {
      const sums = { carried: 0, known: 0 }
      for (let start = 0; start < records.length; start += CARRIED_PER_REQUEST_MAX) {
        const part = records.slice(start, start + CARRIED_PER_REQUEST_MAX)
        const done = await client.call(SITE_API.carryHistory, {
          params,
          body: { records: [...part] },
          isRepeatable: true,
        })
        sums.carried += done.carried
        sums.known += done.known
      }
      return sums
    },
  }
}
