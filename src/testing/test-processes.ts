import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { serverProcess } from '../demo/server-process.ts'
import type { ServerProcess } from '../demo/server-process.ts'
import { systemClock } from '../kernel/clock.ts'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { makeDirectory } from '../kernel/make-directory.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { httpClient } from '../sdk/http-client.ts'
import { openOfficer } from '../sdk/officer.ts'
import { testProcessing } from './test-population.ts'
import { openSiteAdministration } from '../sdk/issuer.ts'
import type { SiteAdministration } from '../sdk/issuer.ts'
import { initSite } from '../site/init-site.ts'
import { layCluster } from './test-cluster.ts'
import { networkCaller, publicKeys } from './test-network.ts'
import type { NetworkCaller, TestParty } from './test-network.ts'
import { evidenceOf } from './test-trade.ts'

/** A network and a site, `galway`, each in a process of its own with a PostgreSQL of its own, as in life. */
export interface TestProcesses extends AsyncDisposable {
  readonly home: string
  readonly network: ServerProcess
  readonly site: ServerProcess
  readonly caller: NetworkCaller
  readonly federation: TestParty
  readonly siteOperator: SiteAdministration
  readonly siteIssuer: SiteAdministration
  /** What a server wrote since it was last started. */
  logOf(server: ServerProcess): Promise<string>
}

/**
 * Starts both by the command line, registers who is needed, and leaves the data set to the test. Both find a PostgreSQL laid for
 * them, unless `prepare` does something to the home before; what it opens is closed once nobody uses the home any more. The site
 * has `siteSettings` beside its own.
 */
export async function testProcesses(
  environment: Readonly<Record<string, string | undefined>>,
  {
    prepare,
    siteSettings,
  }: { prepare?: (home: string, opening: AsyncDisposableStack) => void; siteSettings?: object } = {},
): Promise<TestProcesses> {
  await using opening = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'hedgerow-faults-'))
  opening.defer(() => rm(home, { recursive: true, force: true }))
  const root = join(home, 'sites', 'galway')
  if (prepare) prepare(home, opening)
  else for (const directory of [join(home, 'network'), root]) await layNew(directory)
  const start = { environment: { ...environment, HEDGEROW_HOME: home }, clock: systemClock }
  const newServer = async (name: string, args: readonly string[]) => {
    const port = await freePort()
    const server = serverProcess({
      ...start,
      name,
      url: `http://127.0.0.1:${port}`,
      args: [...args, '--port', String(port)],
      logFile: join(home, `${name}.log`),
    })
    opening.defer(() => server.stop())
    return server
  }
  const network = await newServer('network', ['network', 'serve'])
  const site = await newServer('galway', ['site', 'serve', 'galway'])
  const starting = network.start()
  const { keys, key } = await madeSite(root, { networkUrl: network.url, siteSettings })
  await starting
  const caller = await networkCaller({
    url: network.url,
    name: 'network',
    root: join(home, 'network'),
    clock: systemClock,
  })
  const federation = await caller.addMember('federation', ['issuer'])
  await caller.addMember('edgeworks', ['custodian'])
  const body = { id: 'galway', custodian: 'edgeworks', country: 'IE', keys }
  await caller.call(caller.operator, NETWORK_API.addSite, { body })
  await site.start()
  const client = (issuer: string, signing: KeyPair) => {
    const server = { url: site.url, name: 'galway' }
    const { ids } = caller
    return httpClient({ server, caller: { issuer, key: signing }, clock: systemClock, ids })
  }
  const siteOperator = openSiteAdministration(client('operator', key))
  await siteOperator.registerIssuer({ member: 'federation', keys: publicKeys(federation) })
  await openOfficer(client('federation', federation.signing)).recordContract(testProcessing())
  const open = opening.move()
  return {
    home,
    network,
    site,
    caller,
    federation,
    siteOperator,
    siteIssuer: openSiteAdministration(client('federation', federation.signing)),
    logOf: ({ name }) => readFile(join(home, `${name}.log`), 'utf8'),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** The directory of a site that could start, and the keys of it and of its operator. */
async function madeSite(
  root: string,
  { networkUrl, siteSettings }: { networkUrl: string; siteSettings: object | undefined },
) {
  const { keys } = await initSite(root, {
    site: 'galway',
    custodian: 'edgeworks',
    territory: 'IE',
    networkUrl,
  })
  if (siteSettings) await appendFile(join(root, 'config.yaml'), stringify(siteSettings))
  const key = await readKeyFile(join(root, 'keys', 'operator.jwk'))
  const evidence = evidenceOf({ site: 'galway', territory: 'IE', clock: systemClock, key })
  await writeFile(join(root, 'evidence.jws'), evidence, { mode: 0o600 })
  return { keys, key }
}

async function layNew(directory: string): Promise<void> {
  makeDirectory(directory)
  await layCluster(directory)
}

/** A port of this machine on which nothing listens now. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('There is no free port')
  return address.port
}
