import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeMemberProfile, readMemberProfile } from '../../src/cli/member-profile.ts'
import { processSession } from '../../src/cli/session.ts'
import { demoContract } from '../../src/demo/set-up-site.ts'
import { prepareLoads } from '../../src/demo/demo-data.ts'
import type { SiteLoad } from '../../src/demo/demo-data.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { Role } from '../../src/protocol/member.ts'
import type { HttpClient } from '../../src/sdk/http-client.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { openOfficer } from '../../src/sdk/officer.ts'
import { publicKeys } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { testProvider } from '../../src/testing/test-provider.ts'
import { QUICK } from '../site/floor/local-world.ts'
import { fileBody, offered, testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'

/** How many athletes a site has here: enough for answers, few enough to be quick. */
const ATHLETES = 1_200

/** What stands on a machine whose user follows the guides: the members, sites and people that they are written about. */
export interface GuideDesk extends AsyncDisposable {
  /** The home directory (`HEDGEROW_HOME`), in a directory that a reader works in. */
  readonly home: string
  readonly directory: string
  readonly trade: TestTrade
  /** The key by which the federation knows another athlete of Galway each time, of age. */
  nextPerson(): string
  /** Makes an acquirer with money, which has asked nothing yet. */
  acquirer(name: string): Promise<void>
  /** Signs in somebody. */
  token(person: string): Promise<string>
  /** Makes somebody's keys, and registers them at the network where roles are told. */
  member(name: string, roles?: readonly Role[]): Promise<TestParty>
  /** Lets an issuer in at a site, under a contract. */
  joins(party: TestParty, site: string): Promise<void>
  /** The door of a site as a member uses it. */
  asMember(name: string, site: string): Promise<HttpClient>
}

/** Opens a network with `galway` and `zurich`, a part of the demonstration's athletes, and an acquirer with money. */
export async function openGuideDesk(): Promise<GuideDesk> {
  await using opening = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-guides-'))
  opening.defer(() => rm(directory, { recursive: true, force: true }))
  const home = join(directory, '.hedgerow')
  await mkdir(join(home, 'sites'), { recursive: true })
  const provider = opening.use(await testProvider())
  const settings = { ...QUICK, oidc: { ...provider.settings, member: 'world-sport' } }
  const trade = opening.use(
    await testTrade({
      sites: [
        { name: 'galway', root: join(home, 'sites', 'galway'), hasContract: false, settings },
        { name: 'zurich', territory: 'CH', root: join(home, 'sites', 'zurich'), hasContract: false },
      ],
    }),
  )
  await symlink(trade.network.root, join(home, 'network'))
  const member: GuideDesk['member'] = async (name, roles = []) => {
    const { signing, sealing } = await makeMemberProfile(home, { member: name, country: 'IE' })
    const party = { name, signing, sealing }
    const classOf = roles.includes('acquirer') ? { acquirerClass: 'researcher' } : {}
    const body = { id: name, name, country: 'IE', roles, keys: publicKeys(party), ...classOf }
    if (roles.length > 0) await trade.network.call(trade.network.operator, NETWORK_API.addMember, { body })
    return party
  }
  const federation = await member('world-sport', ['issuer'])
  const session = processSession({ HEDGEROW_HOME: home }, new AbortController().signal)
  const loads = await prepareLoads(session)
  for (const site of trade.sites) await fill(trade, { site, loads, federation })
  const acquirers = ['northcare', 'elm-institute', 'atlas-insurance']
  for (const name of acquirers) await trade.network.deposit(await member(name, ['acquirer']), 100_000)
  const athletes = loads.find(({ site }) => site.id === 'galway')?.athletes ?? []
  const people = athletes
    .slice(0, ATHLETES)
    .filter(({ isMeasured, birthDate }) => isMeasured && birthDate < '1996')
    .map(({ key }) => key)
  const open = opening.move()
  return {
    home,
    directory,
    trade,
    acquirer: async (name) => trade.network.deposit(await member(name, ['acquirer']), 100_000),
    nextPerson() {
      const person = people.shift()
      if (person === undefined) throw new Error('There is nobody left to write about')
      return person
    },
    token: (person) => provider.token({ sub: person }, { expires: '1h' }),
    member,
    joins: (party, site) => joins(trade.site(site), party),
    async asMember(name, site) {
      const { signing } = await readMemberProfile(home, name)
      return trade.site(site).client({ issuer: name, key: signing, keepsToken: true })
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** Everybody grants everything for research, so that what a guide shows does not hang on who was drawn. */
async function fill(
  trade: TestTrade,
  { site, loads, federation }: { site: TestSite; loads: readonly SiteLoad[]; federation: TestParty },
): Promise<void> {
  const load = loads.find(({ site: { id } }) => id === site.name)
  if (load === undefined) throw new Error(`The demonstration has no site "${site.name}"`)
  const client = site.client({ issuer: federation.name, key: federation.signing, keepsToken: true })
  const issuer = openSiteAdministration(client)
  const operator = site.client({ issuer: 'operator', key: site.operatorKey })
  await site.operator.registerIssuer({ member: federation.name, keys: publicKeys(federation) })
  for (const who of [client, operator]) await openOfficer(who).recordContract(demoContract(federation.name))
  const { dataSet } = await issuer.describe(load.manifest)
  const csv = await readCsv(load.file)
  await issuer.importFile({ dataSet, batch: 'first', format: 'csv', body: fileBody(csv) })
  const grants = load.athletes.slice(0, ATHLETES).map(({ key }) => ({
    dataSet,
    person: key,
    grantee: { anyone: true as const },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate', 'private', 'rows'] as const,
    isExplicit: true,
  }))
  await issuer.giveGrants(grants.map((grant) => ({ ...grant, modes: [...grant.modes] })))
  await offered(trade.network, { site: site.name, dataSet })
}

async function joins(site: TestSite, party: TestParty): Promise<void> {
  await site.operator.registerIssuer({ member: party.name, keys: publicKeys(party) })
  const callers = [
    { issuer: party.name, key: party.signing },
    { issuer: 'operator', key: site.operatorKey },
  ]
  for (const caller of callers)
    await openOfficer(site.client(caller)).recordContract(demoContract(party.name))
}

async function readCsv(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return `${lines.slice(0, ATHLETES + 1).join('\n')}\n`
}
