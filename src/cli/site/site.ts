import { join } from 'node:path'
import type { Command } from 'commander'
import { formatDate, instant, later } from '../../kernel/clock.ts'
import { readKeyFile } from '../../kernel/crypto/key-file.ts'
import { replaceFile } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { EVIDENCE_KINDS, evidenceSchema } from '../../protocol/proof/evidence.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import type { KeySet } from '../../protocol/member.ts'
import { signEvidence } from '../../protocol/proof/sign-evidence.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { siteDirectory } from '../../site/config.ts'
import type { SiteSettings } from '../../site/config.ts'
import { addBackupVerbs } from './backup.ts'
import { connectToSite, siteRoot, siteSettingsHere } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { DEFAULT_NETWORK_URL } from '../connect.ts'
import { addExplainVerb } from './site-explain.ts'
import { diagnose } from './site-doctor.ts'
import { addSiteFloorLimitsVerb } from './floor-limit.ts'
import { addRotateKeyVerb } from './site-rotate-key.ts'
import { EXIT, WrongUse, exitCodeOf } from '../failures.ts'
import { readMemberProfile } from '../member-profile.ts'
import { packageVersion } from '../package-version.ts'
import { readPublicKeys } from '../public-keys.ts'
import { addWindDownVerb } from './hand-over.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface PlaceOptions {
  readonly kind: string
  readonly longitude: string
  readonly latitude: string
  readonly validDays: string
  readonly nearBorder?: boolean
}

interface InitOptions extends PlaceOptions {
  readonly territory: string
  readonly custodian: string
  readonly network: string
  readonly port?: string
  readonly host?: string
  readonly json?: boolean
}

interface ServeOptions {
  readonly config?: string
  readonly port?: string
  readonly host?: string
  readonly network?: string
}

interface IssuerOptions extends SiteOptions {
  readonly keys?: string
  readonly json?: boolean
}

/** `hedgerow site …`: a custodian's installation in one place. */
export function addSiteVerbs(program: Command, session: Session): void {
  const site = program.command('site').description('a site: data in its perimeter')
  verb(site, {
    name: 'serve [name]',
    summary: 'run a site until it is stopped',
    example: 'hedgerow site serve galway',
    hasJson: false,
  })
    .option('--config <file>', 'settings; absent: config.yaml of the site')
    .option('--port <number>', 'port of its door')
    .option('--host <address>', 'address of its door')
    .option('--network <url>', 'address of the network')
    .action((name: string | undefined, options: ServeOptions) =>
      perform(session, () => serve(session, { name, options }), serverExitCode),
    )
  addPlaceOptions(
    verb(site, {
      name: 'init <name>',
      summary: 'make a site: its directory, keys, settings and location evidence',
      example:
        'hedgerow site init galway --territory IE --custodian claddagh-edge --longitude -9.0568 --latitude 53.2707',
    }),
  )
    .requiredOption('--territory <country>', 'where it stands (ISO 3166-1 alpha-2)')
    .requiredOption('--custodian <member>', 'member that runs it')
    .option('--network <url>', 'address of its network', DEFAULT_NETWORK_URL)
    .option('--host <address>', 'address of its door')
    .option('--port <number>', 'port of its door')
    .action((name: string, options: InitOptions) => perform(session, () => init(session, { name, options })))
  addPlaceOptions(
    addSiteOptions(
      verb(site, {
        name: 'evidence',
        summary: 'give or renew the evidence of where a site is; without a place, print what is in force',
        example:
          'hedgerow site evidence --site galway --longitude -9.0568 --latitude 53.2707 --valid-days 90',
      }),
    ),
  ).action((options: PlaceOptions & SiteOptions & { json?: boolean }) =>
    perform(session, () => evidence(session, options)),
  )
  addSiteOptions(
    verb(site, {
      name: 'doctor [name]',
      summary: 'check everything that would make a site unsafe, each with how to mend it',
      example: 'hedgerow site doctor galway',
    }),
  ).action((name: string | undefined, options: SiteOptions & { json?: boolean }) =>
    perform(session, () => diagnose(session, { ...options, ...oneSite(name, options.site) })),
  )
  addRotateKeyVerb(site, session)
  addExplainVerb(site, session)
  addSiteFloorLimitsVerb(site, session)
  addWindDownVerb(site, session)
  addBackupVerbs(site, session)
  addSiteOptions(
    verb(site, {
      name: 'issuer <member>',
      summary: 'let an issuer place data at a site',
      example: 'hedgerow site issuer world-sport --site galway --keys world-sport.json',
    }),
  )
    .option(
      '--keys <file>',
      'its public keys, as "member keys" prints them; absent: those of the member on this machine',
    )
    .action((member: string, options: IssuerOptions) =>
      perform(session, () => registerIssuer(session, { member, options })),
    )
}

/** A site is named behind the verb, as verbs of its own machine have it, or by the option that verbs of any have. */
function oneSite(name: string | undefined, option: string | undefined): Pick<SiteOptions, 'site'> {
  if (name !== undefined && option !== undefined && name !== option)
    throw new WrongUse(`Say one site: "${name}" and --site "${option}" are two`)
  const site = name ?? option
  return site === undefined ? {} : { site }
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('--kind <kind>', `what the evidence rests on: ${EVIDENCE_KINDS.join(', ')}`, 'operator-attested')
    .option('--longitude <degrees>', 'WGS 84')
    .option('--latitude <degrees>', 'WGS 84')
    .option('--valid-days <days>', 'how long it is valid from now', '90')
    .option('--near-border', 'I have looked at the map: the point is on this side of the border')
}

async function serve(
  session: Session,
  { name, options }: { name: string | undefined; options: ServeOptions },
): Promise<void> {
  const site = name ?? session.environment['HEDGEROW_SITE']
  if (site === undefined) throw new WrongUse('Say which site, for example: hedgerow site serve galway')
  const { runSite } = await import('../../site/main.ts')
  await runSite({
    root: siteRoot(session, site),
    file: options.config,
    environment: session.environment,
    flags: { port: options.port, host: options.host, 'network.url': options.network },
    signal: session.signal,
    version: packageVersion(),
  })
}

/** A server whose settings are wrong ends with 78, before any port opens (sysexits.h, EX_CONFIG). */
export function serverExitCode(thrown: unknown): number {
  return thrown instanceof Fault && thrown.code === 'fault.configuration'
    ? EXIT.configuration
    : exitCodeOf(thrown)
}

async function init(
  session: Session,
  { name, options }: { name: string; options: InitOptions },
): Promise<void> {
  const { initSite } = await import('../../site/init-site.ts')
  const root = siteRoot(session, name)
  const port = options.port === undefined ? undefined : Number(options.port)
  const hasPlace = options.longitude !== undefined || options.latitude !== undefined
  const isNew = (await siteSettingsHere(session, name)) === undefined
  if (hasPlace && isNew) await claimOf(session, { site: name, territory: options.territory, options })
  const made = await initSite(root, {
    site: name,
    custodian: options.custodian,
    territory: options.territory,
    networkUrl: options.network,
    host: options.host,
    port,
  })
  if (hasPlace) {
    const signed = await signClaim(session, { root, settings: made.settings, options })
    await keepEvidence(root, signed)
  }
  show(session, {
    json: options.json,
    value: { site: name, isNew: made.isNew, keys: made.keys, hasEvidence: hasPlace },
    print: () => {
      say(session.terminal, `${name} ${made.isNew ? 'is made' : 'was made before'} in "${root}"`)
      if (!hasPlace)
        say(
          session.terminal,
          `It has no location evidence yet and will not serve without: hedgerow site evidence --site ${name} --longitude … --latitude …`,
        )
      say(session.terminal, 'Have the operator of the network register it with these keys:')
      say(session.terminal, JSON.stringify(made.keys))
      say(
        session.terminal,
        `  hedgerow network add-site ${name} --country ${options.territory} --custodian ${options.custodian} --keys FILE`,
      )
    },
  })
}

/** What the operator claims, held against the map as the site will. */
async function claimOf(
  session: Session,
  facts: { site: string; territory: string; options: PlaceOptions },
): Promise<Evidence> {
  const { examineClaim } = await import('../../site/load-evidence.ts')
  const claim = evidenceOf(session, facts)
  examineClaim(claim, { clock: session.clock, site: facts.site, territory: facts.territory })
  return claim
}

/** Signs evidence with the operator's key. */
async function signClaim(
  session: Session,
  { root, settings, options }: { root: string; settings: SiteSettings; options: PlaceOptions },
): Promise<string> {
  const directory = siteDirectory(root)
  const { site, territory } = settings
  const claim = await claimOf(session, { site, territory, options })
  return signEvidence(claim, await readKeyFile(join(directory.keys, 'operator.jwk')))
}

/** Lays evidence where the site takes it up when it starts. */
async function keepEvidence(root: string, signed: string): Promise<void> {
  await replaceFile(join(root, 'evidence.jws'), `${signed}\n`, { mode: 0o600 })
}

/** A hundred years: longer than any site stands, and a date that can be written. */
const VALID_DAYS_MAX = 36_500

function evidenceOf(
  session: Session,
  { site, territory, options }: { site: string; territory: string; options: PlaceOptions },
): Evidence {
  const now = session.clock.now()
  const days = wholeNumber(options.validDays)
  if (days < 1 || days > VALID_DAYS_MAX)
    throw new WrongUse(
      `Cannot use --valid-days ${options.validDays}: expected a whole number from 1 to ${VALID_DAYS_MAX}`,
    )
  const parsed = parseWith(evidenceSchema, {
    site,
    kind: options.kind,
    territory,
    longitude: degreesOf(options.longitude),
    latitude: degreesOf(options.latitude),
    attestsNearBorder: options.nearBorder ?? false,
    validFrom: formatInstant(now),
    validUntil: formatInstant(later(now, days * 86_400_000)),
  })
  if (!parsed.ok) throw new WrongUse(`Cannot use the evidence: ${describeProblems(parsed.error)}`)
  return parsed.value
}

function degreesOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text)
}

async function evidence(
  session: Session,
  options: PlaceOptions & SiteOptions & { json?: boolean },
): Promise<number> {
  const { administration, site } = await connectToSite(session, options)
  if (options.longitude === undefined && options.latitude === undefined) {
    const current = await administration.evidence()
    show(session, {
      json: options.json,
      value: current,
      print: () => say(session.terminal, evidenceText(site, current)),
    })
    return current.state === 'valid' ? EXIT.done : EXIT.fellShort
  }
  const settings = await siteSettingsHere(session, site)
  if (!settings) throw new WrongUse(`Evidence is signed where the site is: "${site}" is not on this machine`)
  const root = siteRoot(session, site)
  const signed = await signClaim(session, { root, settings, options })
  const given = await administration.giveEvidence(signed).catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === 'fault.peer_unreachable') return undefined
    throw thrown
  })
  // What the site refuses is not kept: it would refuse to start with it as well.
  await keepEvidence(root, signed)
  show(session, {
    json: options.json,
    value: given ?? { state: 'written' },
    print: () =>
      say(
        session.terminal,
        given ? evidenceText(site, given) : `${site} does not run; it takes the evidence up when it starts`,
      ),
  })
  return EXIT.done
}

function evidenceText(
  site: string,
  {
    state,
    kind,
    territory,
    validUntil,
  }: {
    state: string
    kind?: string | undefined
    territory?: string | undefined
    validUntil?: number | undefined
  },
): string {
  if (state === 'missing' || validUntil === undefined) return `${site} has no location evidence`
  const until = formatDate(instant(validUntil))
  return `${site}: ${kind ?? ''} evidence for ${territory ?? ''}, ${state.replaceAll('_', ' ')}, until ${until}`
}

async function registerIssuer(
  session: Session,
  { member, options }: { member: string; options: IssuerOptions },
): Promise<void> {
  const keys =
    options.keys === undefined ? await memberKeysHere(session, member) : await readPublicKeys(options.keys)
  const { administration, site } = await connectToSite(session, options)
  await administration.registerIssuer({
    member,
    keys: { signing: { ...keys.signing }, sealing: { ...keys.sealing } },
  })
  show(session, {
    json: options.json,
    value: { site, member, keys },
    print: () => say(session.terminal, `${member} may place data at ${site}`),
  })
}

async function memberKeysHere(session: Session, member: string): Promise<KeySet> {
  const { signing, sealing } = await readMemberProfile(session.home, member)
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
