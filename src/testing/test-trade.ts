import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatInstant, later, monotonicMs, systemClock } from '../kernel/clock.ts'
import type { Clock } from '../kernel/clock.ts'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { silentLog } from '../kernel/log.ts'
import type { Log } from '../kernel/log.ts'
import { money } from '../kernel/money.ts'
import { systemRandom } from '../kernel/random.ts'
import { evidenceSchema } from '../protocol/proof/evidence.ts'
import type { AcquirerClass } from '../protocol/member.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { signEvidence } from '../protocol/proof/sign-evidence.ts'
import { openAcquirer } from '../sdk/acquirer.ts'
import type { Acquirer, AskResult } from '../sdk/acquirer.ts'
import type { AskRequest } from '../sdk/build-ask.ts'
import { httpClient } from '../sdk/http-client.ts'
import type { HttpClient } from '../sdk/http-client.ts'
import { openSiteAdministration } from '../sdk/issuer.ts'
import type { SiteAdministration, WireGrant, WireManifest } from '../sdk/issuer.ts'
import { openOfficer } from '../sdk/officer.ts'
import { openRightsDesk } from '../sdk/rights.ts'
import type { RightsDesk } from '../sdk/rights.ts'
import { serveSite } from '../site/assemble-site.ts'
import type { ServingSite } from '../site/assemble-site.ts'
import { siteSettingsSchema } from '../site/config.ts'
import type { SiteSettings } from '../site/config.ts'
import { initSite } from '../site/init-site.ts'
import { pinsInMemory } from './pins-in-memory.ts'
import { csvOf, testGrant, testManifest, testProcessing } from './test-population.ts'
import type { TestPerson } from './test-population.ts'
import { publicKeys, testNetwork } from './test-network.ts'
import type { NetworkCaller, TestNetwork, TestParty } from './test-network.ts'
import type { Template } from './test-cluster.ts'
import { testDatabaseUrl } from './test-postgres.ts'

/** Where a site of a test stands: in the middle of a country, far from its borders. */
const PLACES = {
  IE: [-7.9, 53.3],
  DE: [10.4, 50.9],
  CH: [8.0, 46.9],
} as const

/** What is told of a site of a test. */
export interface TestSiteFacts {
  readonly name: string
  readonly territory?: keyof typeof PLACES
  /** The address by which it dials the network, where something stands between. */
  readonly networkUrl?: string
  readonly log?: Log
  readonly clock?: Clock
  /** Settings of its own. */
  readonly settings?: object
  /** Its directory; absent: a temporary one. It is made, and goes away with the site. */
  readonly root?: string
  /** Whether a contract with the issuer is recorded, so that asks are answered. */
  readonly hasContract?: boolean
}

/** A whole site in this process, on a free port and in a directory of its own. */
export interface TestSite {
  readonly name: string
  readonly root: string
  readonly databaseUrl: string
  readonly url: string
  readonly signing: KeyPair
  readonly operatorKey: KeyPair
  /** The site's door as its operator uses it. */
  readonly operator: SiteAdministration
  /** The same as the issuer `federation` uses it. */
  readonly issuer: SiteAdministration
  /** Rights of people, as the operator and as the issuer exercise them. */
  rights(who: 'operator' | 'issuer'): RightsDesk
  /** `keepsToken`: signs in once for many calls. */
  client(caller: { issuer: string; key: KeyPair; keepsToken?: boolean } | undefined): HttpClient
  stop(): Promise<void>
  /** Starts it again on what is on disk; clients made before no longer reach it. */
  start(): Promise<void>
}

/** An acquirer with its keys, its line and money. */
export interface TestAcquirer {
  readonly party: TestParty
  readonly acquirer: Acquirer
  readonly client: HttpClient
  /** Asks for an aggregate over `athletes` for research unless told otherwise, and waits for all answers. */
  ask(sql: string, more?: Partial<AskRequest>): Promise<AskResult>
  request(sql: string, more?: Partial<AskRequest>): Omit<AskRequest, 'acquirer'>
}

/** What a site is filled with. */
export interface TestFilling {
  readonly dataSet: string
  readonly people: readonly TestPerson[]
  readonly manifest?: Partial<WireManifest>
  /** Absent: everybody grants everything for research. */
  readonly grants?: readonly WireGrant[]
}

/** A network with its sites in one process. */
export interface TestTrade extends AsyncDisposable {
  readonly network: TestNetwork
  readonly networkDatabaseUrl: string
  readonly clock: Clock
  readonly federation: TestParty
  /** Runs all sites. */
  readonly custodian: TestParty
  readonly sites: readonly TestSite[]
  addSite(facts: TestSiteFacts): Promise<TestSite>
  site(name?: string): TestSite
  addAcquirer(
    name: string,
    more?: { acquirerClass?: AcquirerClass; depositMinor?: number; url?: string },
  ): Promise<TestAcquirer>
  /** Describes a data set, imports people and gives grants; resolves when the network offers it. */
  fill(site: TestSite, filling: TestFilling): Promise<void>
}

/** Opens a trade: `await using trade = await testTrade()` gives a network and one site, `galway`. */
export async function testTrade({
  clock = systemClock,
  sites: siteFacts = [{ name: 'galway' }],
  log = silentLog,
  settings = {},
  networkUrl,
  newDatabase = async (template) => (await testDatabaseUrl(template)).reveal(),
}: {
  clock?: Clock
  sites?: readonly TestSiteFacts[]
  log?: Log
  settings?: object
  /** The address by which everybody dials the network, where something stands between. */
  networkUrl?: (network: TestNetwork) => string | Promise<string>
  /** Makes a database for each server; absent: on the PostgreSQL that all tests of a process share. */
  newDatabase?: (template: Template) => Promise<string>
} = {}): Promise<TestTrade> {
  await using opening = new AsyncDisposableStack()
  const networkDatabaseUrl = await newDatabase('network')
  const network = opening.use(await testNetwork({ clock, log, settings, databaseUrl: networkDatabaseUrl }))
  const federation = await network.addMember('federation', ['issuer'])
  const edge = await network.addMember('edgeworks', ['custodian'])
  const dialled = (await networkUrl?.(network)) ?? network.url
  const sites: TestSite[] = []
  const places = new AsyncDisposableStack()
  opening.use(places)
  const addSite = async (facts: TestSiteFacts) => {
    const parties = {
      network,
      custodian: edge,
      issuer: federation,
      databaseUrl: await newDatabase('site'),
    }
    const site = places.use(await testSite(parties, { networkUrl: dialled, log, ...facts }))
    sites.push(site)
    return site
  }
  for (const facts of siteFacts) await addSite(facts)
  const open = opening.move()
  return {
    network,
    networkDatabaseUrl,
    clock,
    federation,
    custodian: edge,
    sites,
    addSite,
    site: (name = 'galway') => {
      const found = sites.find((site) => site.name === name)
      if (!found) throw new Error(`There is no site "${name}" in this test`)
      return found
    },
    addAcquirer: (name, more = {}) => addAcquirer(network, { name, url: dialled, ...more }),
    fill: (site, facts) => fillSite(network, site, facts),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** A client of the network as anybody. */
function networkClient(
  { name, clock, ids }: NetworkCaller,
  { url, party }: { url: string; party?: TestParty },
): HttpClient {
  const caller = party && { issuer: party.name, key: party.signing }
  return httpClient({ server: { url, name }, caller, clock, ids, keepsToken: true })
}

export async function addAcquirer(
  network: NetworkCaller,
  {
    name,
    url,
    acquirerClass = 'researcher',
    depositMinor = 100_000,
  }: { name: string; url: string; acquirerClass?: AcquirerClass; depositMinor?: number },
): Promise<TestAcquirer> {
  const party = await network.addMember(name, ['acquirer'], { acquirerClass })
  if (depositMinor > 0) await network.deposit(party, depositMinor)
  return acquirerOf(network, { party, url })
}

/** An acquirer over keys that are registered already. */
function acquirerOf(network: NetworkCaller, { party, url }: { party: TestParty; url: string }): TestAcquirer {
  const client = networkClient(network, { url, party })
  const { clock, ids } = network
  const acquirer = openAcquirer({
    client,
    member: party.name,
    signing: party.signing,
    sealing: party.sealing,
    pins: pinsInMemory(),
    clock,
    ids,
    random: systemRandom,
  })
  const request: TestAcquirer['request'] = (sql, more = {}) => ({
    purpose: 'dpv:AcademicResearch',
    legalBasis: 'eu-gdpr:A6-1-a',
    mode: 'aggregate',
    offer: 'athletes',
    releaseTo: { jurisdiction: 'IE' },
    question: { sql, parameters: [] },
    maxPrice: money(5_000n, 'EUR'),
    expires: later(clock.now(), 60_000),
    ...more,
  })
  return { party, acquirer, client, request, ask: (sql, more) => acquirer.ask(request(sql, more)) }
}

async function testSite(
  {
    network,
    custodian,
    issuer,
    databaseUrl,
  }: { network: TestNetwork; custodian: TestParty; issuer: TestParty; databaseUrl: string },
  {
    name,
    territory = 'IE',
    networkUrl = network.url,
    log = silentLog,
    clock = network.clock,
    settings: own = {},
    root: ownRoot,
    hasContract = true,
  }: TestSiteFacts,
): Promise<TestSite & AsyncDisposable> {
  const { ids } = network
  const root = ownRoot ?? (await mkdtemp(join(tmpdir(), `hedgerow-${name}-`)))
  const made = await initSite(root, { site: name, custodian: custodian.name, territory, networkUrl, port: 0 })
  const operatorKey = await readKeyFile(join(root, 'keys', 'operator.jwk'))
  await writeFile(join(root, 'evidence.jws'), evidenceOf({ site: name, territory, clock, key: operatorKey }))
  const body = { id: name, custodian: custodian.name, country: territory, keys: made.keys }
  await network.call(network.operator, NETWORK_API.addSite, { body })
  const facts = { site: name, custodian: custodian.name, territory, networkUrl, databaseUrl }
  const settings = settingsOf(facts, own)
  const start = () => serveSite({ root, settings, log, clock, random: systemRandom })
  let serving: ServingSite | undefined = await start()
  const url = () => serving?.url ?? ''
  const client: TestSite['client'] = (caller) =>
    httpClient({ server: { url: url(), name }, caller, clock, ids, keepsToken: caller?.keepsToken === true })
  const as = (who: 'operator' | 'issuer') =>
    client(
      who === 'operator' ? { issuer: who, key: operatorKey } : { issuer: issuer.name, key: issuer.signing },
    )
  const site = {
    name,
    root,
    databaseUrl,
    signing: await readKeyFile(join(root, 'keys', 'signing.jwk')),
    operatorKey,
    get url() {
      return url()
    },
    get operator() {
      return openSiteAdministration(as('operator'))
    },
    get issuer() {
      return openSiteAdministration(as('issuer'))
    },
    rights: (who: 'operator' | 'issuer') => openRightsDesk(as(who)),
    client,
    async stop() {
      await serving?.[Symbol.asyncDispose]()
      serving = undefined
    },
    async start() {
      serving ??= await start()
    },
    async [Symbol.asyncDispose]() {
      await site.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
  await site.operator.registerIssuer({ member: issuer.name, keys: publicKeys(issuer) })
  if (hasContract) await openOfficer(as('issuer')).recordContract(testProcessing(issuer.name))
  return site
}

function settingsOf(
  {
    networkUrl: url,
    ...facts
  }: { site: string; custodian: string; territory: string; networkUrl: string; databaseUrl: string },
  own: object,
): SiteSettings {
  const vault = { memoryMb: 256, threads: 1 }
  return siteSettingsSchema.parse({ ...facts, network: { url }, port: 0, vault, ...own })
}

/** Signed evidence of a place in the middle of a territory, for a month. */
export function evidenceOf({
  site,
  territory,
  clock,
  key,
}: {
  site: string
  territory: keyof typeof PLACES
  clock: Clock
  key: KeyPair
}): string {
  const [longitude, latitude] = PLACES[territory]
  const evidence = evidenceSchema.parse({
    site,
    kind: 'operator-attested',
    territory,
    longitude,
    latitude,
    validFrom: formatInstant(later(clock.now(), -60_000)),
    validUntil: formatInstant(later(clock.now(), 30 * 86_400_000)),
  })
  return signEvidence(evidence, key)
}

async function fillSite(
  network: NetworkCaller,
  site: TestSite,
  { dataSet, people, manifest = {}, grants = people.map(({ id }) => testGrant(dataSet, id)) }: TestFilling,
): Promise<void> {
  await site.issuer.describe(testManifest(dataSet, manifest))
  await site.issuer.importFile({ dataSet, batch: 'first', format: 'csv', body: fileBody(csvOf(people)) })
  if (grants.length > 0) await site.issuer.giveGrants(grants)
  await offered(network, { site: site.name, dataSet })
}

/** A text as the body of a file on its way in. */
export function fileBody(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream()
}

/** Most that publishing an offer may take. */
const OFFER_DEADLINE_MS = 10_000

/** Waits until the network offers a data set of a site. */
export async function offered(
  network: NetworkCaller,
  { site, dataSet }: { site: string; dataSet: string },
): Promise<void> {
  const deadline = monotonicMs() + OFFER_DEADLINE_MS
  for (;;) {
    const { items } = await network.call(undefined, NETWORK_API.listOffers, { query: { dataSet } })
    if (items.some((offer) => offer.site === site)) return
    if (monotonicMs() > deadline) throw new Error(`The network does not offer "${dataSet}" of "${site}"`)
    await systemClock.sleep(5)
  }
}
