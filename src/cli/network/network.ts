import { join } from 'node:path'
import type { Command } from 'commander'
import type { KeySet } from '../../protocol/member.ts'
import { openOperator } from '../../sdk/operator.ts'
import { siteDirectory } from '../../site/config.ts'
import { readSiteKeys } from '../../site/site-keys.ts'
import { operatorClient, siteRoot, siteSettingsHere } from '../connect.ts'
import { addFloorLimitVerbs } from '../site/floor-limit.ts'
import type { NetworkOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { addNetworkRotateVerbs } from './network-rotate-key.ts'
import { addStandingVerbs } from './suspend.ts'
import { packageVersion } from '../package-version.ts'
import { readPublicKeys } from '../public-keys.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { serverExitCode } from '../site/site.ts'
import { say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface ServeOptions {
  readonly config?: string
  readonly port?: string
  readonly host?: string
}

interface AddSiteOptions extends NetworkOptions {
  readonly custodian: string
  readonly country: string
  readonly keys?: string
  readonly json?: boolean
}

/** `hedgerow network …`: the switch between acquirers, issuers and sites. */
export function addNetworkVerbs(program: Command, session: Session): void {
  const network = program.command('network').description('a network: members, offers, asks, money')
  verb(network, {
    name: 'serve',
    summary: 'run a network until it is stopped',
    example: 'hedgerow network serve --port 7400',
    hasJson: false,
  })
    .option('--config <file>', 'settings; absent: config.yaml of the network')
    .option('--port <number>', 'port of its door')
    .option('--host <address>', 'address of its door')
    .action((options: ServeOptions) => perform(session, () => serve(session, options), serverExitCode))
  verb(network, {
    name: 'add-site <name>',
    summary: 'register a site and the custodian that runs it (operator of the network)',
    example: 'hedgerow network add-site galway --country IE --custodian claddagh-edge --keys galway.json',
  })
    .requiredOption('--country <code>', 'the territory in which it stands (ISO 3166-1 alpha-2)')
    .requiredOption('--custodian <member>', 'member that runs it')
    .option(
      '--keys <file>',
      'its public keys, as "site init --json" prints them; absent: those of the site on this machine',
    )
    .option('--network <url>', 'address of the network')
    .action((name: string, options: AddSiteOptions) =>
      perform(session, () => addSite(session, { name, options })),
    )
  verb(network, {
    name: 'list-sites',
    summary: 'sites of the network (operator)',
    example: 'hedgerow network list-sites --json',
  })
    .option('--network <url>', 'address of the network')
    .action((options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => listSites(session, options)),
    )
  addStandingVerbs(network, session, 'site')
  addFloorLimitVerbs(network, session)
  addNetworkRotateVerbs(network, session)
}

async function serve(session: Session, options: ServeOptions): Promise<void> {
  const { runNetwork } = await import('../../network/main.ts')
  await runNetwork({
    root: join(session.home, 'network'),
    file: options.config,
    environment: session.environment,
    flags: { port: options.port, host: options.host },
    signal: session.signal,
    version: packageVersion(),
  })
}

async function addSite(
  session: Session,
  { name, options }: { name: string; options: AddSiteOptions },
): Promise<void> {
  const keys = options.keys === undefined ? await keysHere(session, name) : await readPublicKeys(options.keys)
  const added = await openOperator(await operatorClient(session, options)).addSite({
    id: name,
    custodian: options.custodian,
    country: options.country,
    keys: { signing: { ...keys.signing }, sealing: { ...keys.sealing } },
  })
  show(session, {
    json: options.json,
    value: added,
    print: () => say(session.terminal, `${added.id} is a site (${added.country}, run by ${added.custodian})`),
  })
}

async function listSites(session: Session, options: NetworkOptions & { json?: boolean }): Promise<void> {
  const sites = await openOperator(await operatorClient(session, options)).sites()
  show(session, {
    json: options.json,
    value: sites,
    print: () =>
      table(session.terminal, {
        none: 'No sites yet',
        head: ['site', 'country', 'custodian', 'status'],
        rows: sites.map((one) => [one.id, one.country, one.custodian, one.status]),
      }),
  })
}

async function keysHere(session: Session, site: string): Promise<KeySet> {
  if (!(await siteSettingsHere(session, site)))
    throw new WrongUse(`Say its public keys with --keys FILE: "${site}" is not on this machine`)
  const { signing, sealing } = await readSiteKeys(siteDirectory(siteRoot(session, site)).keys)
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
