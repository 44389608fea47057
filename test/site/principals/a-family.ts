import { later, systemClock } from '../../../src/kernel/clock.ts'
import type { Clock, Instant } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { openGuardianDesk } from '../../../src/sdk/guardians.ts'
import { httpClient } from '../../../src/sdk/http-client.ts'
import type { HttpClient } from '../../../src/sdk/http-client.ts'
import { openSiteAdministration } from '../../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { openPrincipalDesk } from '../../../src/sdk/principals.ts'
import { openRequestDesk } from '../../../src/sdk/requests.ts'
import { openRightsDesk } from '../../../src/sdk/rights.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import type { TestPerson } from '../../../src/testing/test-population.ts'
import { testProvider } from '../../../src/testing/test-provider.ts'
import type { TestProvider } from '../../../src/testing/test-provider.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../../src/testing/test-trade.ts'

export const DOCUMENT = digestOf('birth register Galway 2014/1187')
const DAY_MS = 86_400_000

/** The machine's clock, moved on by whole days. */
export class MovedClock implements Clock {
  #movedMs = 0
  now(): Instant {
    return later(systemClock.now(), this.#movedMs)
  }
  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }
  move(days: number): void {
    this.#movedMs += days * DAY_MS
  }
}

/** Somebody's birth date so many years and days before today. */
export function bornYearsAgo(years: number, days = 0): string {
  const today = Temporal.PlainDate.from(new Date(systemClock.now()).toISOString().slice(0, 10))
  return today.subtract({ years }).subtract({ days }).toString()
}

/** A site in Ireland (16) whose people sign in: the first twenty are children of twelve there, the others grown up. */
export interface Family extends AsyncDisposable {
  readonly provider: TestProvider
  readonly trade: TestTrade
  readonly site: TestSite
  readonly clock: MovedClock
  /** The door as somebody with this subject uses it; the token is good for a century. */
  as(sub: string): Promise<Seat>
  readonly issuer: Seat
  /** The issuer at the door of a site that was started anew. */
  restarted(): Promise<Seat>
  readonly operator: Seat
  establish(child: string, guardian: string, more?: object): Promise<string>
}

/** All that can be done at the door by whoever sits there. */
export type Seat = ReturnType<typeof seatOf>

function seatOf(client: HttpClient) {
  return {
    client,
    guardians: openGuardianDesk(client),
    administration: openSiteAdministration(client),
    rights: openRightsDesk(client),
    requests: openRequestDesk(client),
    records: (ref: string) => openPersonRecords(client, { ref }),
    principal: (ref: string, reason?: string) => openPrincipalDesk(client, { ref, reason }),
  }
}

export async function aFamily(
  change: (person: TestPerson, index: number) => Partial<TestPerson> = () => ({}),
  settings: object = {},
): Promise<Family> {
  await using opening = new AsyncDisposableStack()
  const provider = opening.use(await testProvider())
  const clock = new MovedClock()
  const trade = opening.use(
    await testTrade({
      sites: [{ name: 'galway', clock, settings: { oidc: provider.settings, ...settings } }],
    }),
  )
  const site = trade.site()
  const people = testPeople(40, (person, index) => ({
    country: 'IE',
    ...(index < 20 ? { birthDate: bornYearsAgo(12, index) } : {}),
    ...change(person, index),
  }))
  await trade.fill(site, { dataSet: 'athletes', people, grants: [] })
  const ids = idSource(clock, systemRandom)
  const issuer = seatOf(site.client({ issuer: 'federation', key: trade.federation.signing }))
  const open = opening.move()
  return {
    provider,
    trade,
    site,
    clock,
    issuer,
    restarted: () =>
      Promise.resolve(seatOf(site.client({ issuer: 'federation', key: trade.federation.signing }))),
    operator: seatOf(site.client({ issuer: 'operator', key: site.operatorKey })),
    as: async (sub) => {
      const bearer = await provider.token({ sub }, { expires: '100y' })
      const server = { url: site.url, name: site.name }
      return seatOf(httpClient({ server, bearer, clock, ids }))
    },
    establish: async (child, guardian, more = {}) => {
      const facts = { guardian, authority: 'sole', document: DOCUMENT, ...more } as const
      return (await issuer.guardians.establish(child, facts)).guardianship
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
