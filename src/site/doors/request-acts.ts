import type { Instant } from '../../kernel/clock.ts'
import type { RequestKind } from '../../protocol/http/request-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { noteAccess } from '../rights/note-access.ts'
import { findKnownPeople, knownPeople, unknownPerson } from '../rights/person-reading.ts'
import type { PersonReading, Reader } from '../rights/person-reading.ts'
import { handleRequest, makeRequests } from '../rights/request-desk.ts'
import type { RequestAct } from '../rights/request-desk.ts'
import { readRequests } from '../rights/request-store.ts'
import type { StoredRequest } from '../rights/request-store.ts'
import { requestDetail, requestView } from '../rights/view-request.ts'
import type { RequestDetail, RequestView } from '../rights/view-request.ts'
import type { SiteContext } from '../site-context.ts'
import { pageOf } from './page-of.ts'
import type { Page, PageRequest } from './page-of.ts'

/** Whose request a caller may see or touch: of an issuer's people, of one person, or anybody's. */
export interface RequestScope {
  readonly issuer?: MemberId | undefined
  readonly identities?: PersonReading['identities'] | undefined
}

/** The request desk. */
export interface RequestActs {
  makeRequest(
    reading: PersonReading,
    request: { kind: RequestKind; said?: string | undefined; receivedAt?: Instant | undefined },
  ): Promise<{ items: RequestDetail[] }>
  requestsOfPerson(reading: PersonReading): Promise<{ items: RequestDetail[] }>
  listRequests(
    page: PageRequest & { issuer?: MemberId | undefined; isOpen: boolean },
  ): Promise<Page<RequestView>>
  findRequest(request: { id: string; scope: RequestScope; reader: Reader }): Promise<RequestDetail>
  handleRequest(request: { id: string; scope: RequestScope; act: RequestAct }): Promise<RequestDetail>
}

/** Most requests of one person that are shown. */
const OF_PERSON_MAX = 1_000

/** The request desk in the forms of the door. */
export function requestActs(site: SiteContext): RequestActs {
  const ofPeople = async (people: readonly number[]) => {
    const found = await readRequests(site.db, { people, limit: OF_PERSON_MAX })
    return { items: await Promise.all(found.map((request) => requestDetail(site, request))) }
  }
  const within = async (id: string, scope: RequestScope): Promise<StoredRequest> => {
    const [request] = await readRequests(site.db, { id, limit: 1 })
    if (!request || (scope.issuer !== undefined && request.issuer !== scope.issuer)) throw unknownPerson()
    if (!scope.identities) return request
    const own = await findKnownPeople(site, scope.identities)
    if (!own.some(({ number }) => number === request.person)) throw unknownPerson()
    return request
  }
  return {
    async makeRequest(reading, request) {
      const people = await knownPeople(site, reading)
      const made = await makeRequests(site, { people, by: reading.by, ...request })
      const all = await ofPeople(people.map(({ number }) => number))
      return { items: all.items.filter(({ id }) => made.includes(id)) }
    },
    async requestsOfPerson(reading) {
      const people = await knownPeople(site, reading)
      await noteAccess(site, { people, reading, what: 'requests' })
      return ofPeople(people.map(({ number }) => number))
    },
    async listRequests({ cursor, limit, issuer, isOpen }) {
      const found = await readRequests(site.db, { issuer, isOpen, after: cursor, limit: limit + 1 })
      return pageOf(found, {
        limit,
        cursorOf: ({ id }) => id,
        viewOf: (request) => requestView(site, request),
      })
    },
    async findRequest({ id, scope, reader }) {
      const request = await within(id, scope)
      const person = { number: request.person, issuer: request.issuer, key: '' }
      // Without a key the person was erased: nothing of them is left to look at.
      if (await site.personKeys.keyOf(site.db, request.person))
        await noteAccess(site, { people: [person], reading: reader, what: 'request' })
      return requestDetail(site, request)
    },
    async handleRequest({ id, scope, act }) {
      await within(id, scope)
      await handleRequest(site, { id, act })
      return requestDetail(site, await within(id, scope))
    },
  }
}
