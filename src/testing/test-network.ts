import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { formatInstant, later } from '../kernel/clock.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import { generateKeyPair } from '../kernel/crypto/keys.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { signJws } from '../kernel/crypto/jws.ts'
import { digestOf } from '../kernel/digest.ts'
import type { Endpoint } from '../kernel/http/endpoint.ts'
import { idSource } from '../kernel/id.ts'
import type { IdSource } from '../kernel/id.ts'
import { silentLog } from '../kernel/log.ts'
import type { Log } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { serveNetwork } from '../network/assemble-network.ts'
import type { ServingNetwork } from '../network/assemble-network.ts'
import { networkDirectory, networkSettingsSchema } from '../network/config.ts'
import { signClientAssertion } from '../protocol/http/client-assertion.ts'
import type { Role } from '../protocol/member.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import { OPERATOR } from '../protocol/http/network-api.ts'
import type { AskState } from '../protocol/http/network-api.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { problemSchema } from '../protocol/http/problem.ts'
import type { Problem } from '../protocol/http/problem.ts'
import { testDatabaseUrl } from './test-postgres.ts'

/** Somebody with keys. */
export interface TestParty {
  readonly name: string
  readonly signing: KeyPair
  readonly sealing: KeyPair
}

/** What goes with a call of an endpoint; wire forms, right or wrong. */
export interface TestInput {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Somebody's view of a network that runs somewhere: calls with everybody's keys. */
export interface NetworkCaller {
  readonly url: string
  readonly name: string
  readonly clock: Clock
  readonly ids: IdSource
  readonly operator: TestParty
  /** Calls an endpoint with a fresh token of `party` (or none); a problem is thrown. */
  call<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
    party: TestParty | undefined,
    endpoint: Endpoint<P, Q, B, R>,
    input?: TestInput,
  ): Promise<z.output<R>>
  /** The problem with which an endpoint refuses a call. */
  refusal(party: TestParty | undefined, endpoint: Endpoint, input?: TestInput): Promise<Problem>
  /** Signs and sends an ask. */
  ask(acquirer: TestParty, ask: object, signer?: TestParty): Promise<AskState>
  /** Signs and sends asks as one batch. */
  askBatch(processor: TestParty, asks: readonly object[]): Promise<readonly AskState[]>
  addMember(name: string, roles: readonly Role[], more?: object): Promise<TestParty>
  addSite(name: string, facts: { custodian: TestParty; country: string }): Promise<TestParty>
  publish(site: TestParty, offers: readonly object[]): Promise<void>
  deposit(member: TestParty, amountMinor: number, currency?: string): Promise<void>
}

/** A whole network on a real PostgreSQL behind a real socket. */
export interface TestNetwork extends NetworkCaller, AsyncDisposable {
  readonly root: string
  /** Of the database it runs on, with its password. */
  readonly databaseUrl: string
  readonly serving: ServingNetwork
}

/** Makes somebody's keys. */
export function testParty(name: string): TestParty {
  return { name, signing: generateKeyPair('Ed25519'), sealing: generateKeyPair('X25519') }
}

/** The public halves, as they are registered. */
export function publicKeys({ signing, sealing }: TestParty) {
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}

/** Starts a network in a directory of its own, which goes away with it unless one is given. */
export async function testNetwork({
  clock,
  root,
  databaseUrl,
  log = silentLog,
  settings = {},
}: {
  clock: Clock
  root?: string
  databaseUrl?: string
  log?: Log
  settings?: object
}): Promise<TestNetwork> {
  const directory = root ?? (await mkdtemp(join(tmpdir(), 'hedgerow-network-')))
  const url = databaseUrl ?? (await testDatabaseUrl('network')).reveal()
  const parsed = networkSettingsSchema.parse({ port: 0, databaseUrl: url, ...settings })
  const serving = await serveNetwork({ root: directory, settings: parsed, log, clock, random: systemRandom })
  const caller = await networkCaller({ url: serving.url, name: parsed.name, root: directory, clock })
  return {
    ...caller,
    root: directory,
    databaseUrl: url,
    serving,
    async [Symbol.asyncDispose]() {
      await serving[Symbol.asyncDispose]()
      if (root === undefined) await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Calls a network that serves at `url` from the directory `root`, with the operator's key that lies there. */
export async function networkCaller({
  url,
  name: audience,
  root,
  clock,
}: {
  url: string
  name: string
  root: string
  clock: Clock
}): Promise<NetworkCaller> {
  const operatorKey = await readKeyFile(networkDirectory(root).operatorKey)
  const ids = idSource(clock, systemRandom)
  const operator = { name: OPERATOR, signing: operatorKey, sealing: generateKeyPair('X25519') }
  const network: NetworkCaller = {
    url,
    name: audience,
    clock,
    ids,
    operator,
    async call(party, endpoint, input = {}) {
      const response = await send(network, { party, endpoint, input })
      const text = await response.text()
      if (!response.ok) throw new Error(`Refused with ${response.status}: ${text}`)
      return (endpoint.response ?? z.unknown()).parse(JSON.parse(text)) as never
    },
    async refusal(party, endpoint, input = {}) {
      const response = await send(network, { party, endpoint, input })
      const text = await response.text()
      if (response.ok) throw new Error(`Not refused: ${text}`)
      return problemSchema.parse(JSON.parse(text))
    },
    async ask(acquirer, ask, signer = acquirer) {
      const answer = await network.call(acquirer, NETWORK_API.ask, { body: { ask: signAsk(ask, signer) } })
      if ('answers' in answer) throw new Error('One ask was answered as a batch')
      return answer
    },
    async askBatch(processor, asks) {
      const batch = signJws(canonicalJson({ processor: processor.name, asks }), {
        typ: TYP.askBatch,
        key: processor.signing,
      })
      const answer = await network.call(processor, NETWORK_API.ask, { body: { batch } })
      return 'answers' in answer ? answer.answers : []
    },
    async addMember(name, roles, more = {}) {
      const party = testParty(name)
      const body = { id: name, name: `The ${name}`, country: 'IE', roles, keys: publicKeys(party), ...more }
      await network.call(operator, NETWORK_API.addMember, { body })
      return party
    },
    async addSite(name, { custodian, country }) {
      const party = testParty(name)
      const body = { id: name, custodian: custodian.name, country, keys: publicKeys(party) }
      await network.call(operator, NETWORK_API.addSite, { body })
      return party
    },
    async publish(site, offers) {
      const list = { site: site.name, offers, time: formatInstant(clock.now()) }
      const body = { offers: signJws(canonicalJson(list), { typ: TYP.offer, key: site.signing }) }
      await network.call(site, NETWORK_API.publishOffers, { params: { id: site.name }, body })
    },
    async deposit(member, amountMinor, currency = 'EUR') {
      const body = { kind: 'deposit', member: member.name, amount: { amount: amountMinor, currency } }
      const headers = { 'idempotency-key': ids.next('dep') }
      await network.call(operator, NETWORK_API.transfer, { body, headers })
    },
  }
  return network
}

/** A token for one request. */
export function tokenOf(
  party: TestParty,
  { audience, now, jti }: { audience: string; now: Instant; jti: string },
): string {
  return signClientAssertion({ issuer: party.name, audience, now, jti, key: party.signing })
}

/** An offer of a data set at a site, with everything overridable. */
export function testOffer(
  site: TestParty,
  {
    dataSet = 'athletes',
    issuer,
    country,
    ...more
  }: { dataSet?: string; issuer: TestParty; country: string; [field: string]: unknown },
): object {
  return {
    site: site.name,
    siteCountry: country,
    siteKeys: publicKeys(site),
    dataSet,
    title: 'Athletes',
    issuer: issuer.name,
    columns: [{ name: 'height', type: 'number', bounds: [1, 3], sensitivity: 'ordinary', isRequired: false }],
    purposes: ['dpv:AcademicResearch'],
    modes: ['aggregate'],
    legalBasis: 'eu-gdpr:A6-1-a',
    perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
    minimumGroup: 20,
    dimensionsMax: 2,
    tariff: {
      currency: 'EUR',
      perRunMinor: 100,
      per100PeopleMinor: 50,
      minimumFeeMinor: 100,
      capMinor: 1000,
    },
    splits: { issuer: 5000, issuerProcessor: 0, custodian: 2500, network: 500, subjects: 2000 },
    ...more,
  }
}

/** The JSON of an ask, with everything overridable. */
export function testAsk(
  network: NetworkCaller,
  acquirer: TestParty,
  { sites = ['galway'], ...more }: { sites?: readonly string[]; [field: string]: unknown } = {},
): Readonly<Record<string, unknown>> & { readonly id: string } {
  return {
    id: network.ids.next('ask'),
    acquirer: acquirer.name,
    purpose: 'dpv:AcademicResearch',
    legalBasis: 'eu-gdpr:A6-1-a',
    mode: 'aggregate',
    offer: 'athletes',
    sites: ['any'],
    releaseTo: { jurisdiction: 'IE' },
    question: {
      digest: digestOf('question'),
      sealed: Object.fromEntries(sites.map((site) => [site, 'aaaa.bbbb.cccc.dddd.eeee'])),
    },
    maxPrice: { amount: 5000, currency: 'EUR' },
    expires: formatInstant(later(network.clock.now(), 60_000)),
    idempotencyKey: network.ids.next('key'),
    ...more,
  }
}

/** Signs an ask as its acquirer does. */
export function signAsk(ask: object, { signing }: TestParty): string {
  return signJws(canonicalJson(ask), { typ: TYP.ask, key: signing })
}

function send(
  { url, name: audience, clock, ids }: NetworkCaller,
  {
    party,
    endpoint,
    input,
  }: { party: TestParty | undefined; endpoint: Pick<Endpoint, 'method' | 'path'>; input: TestInput },
): Promise<Response> {
  const { params = {}, query = {}, body, headers = {} } = input
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  )
  const address = new URL(path, url)
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, String(value))
  const token = party && tokenOf(party, { audience, now: clock.now(), jti: ids.next('jti') })
  return fetch(address, {
    method: endpoint.method.toUpperCase(),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
