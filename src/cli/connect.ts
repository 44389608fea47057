import { join } from 'node:path'
import { readKeyFile } from '../kernel/crypto/key-file.ts'
import { stat } from 'node:fs/promises'
import { isServerUrl, serverUrl } from '../kernel/http/server-url.ts'
import { addressLeft } from '../kernel/http/serving-address.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { openAcquirer } from '../sdk/acquirer.ts'
import type { Acquirer, AcquirerParts } from '../sdk/acquirer.ts'
import { httpClient } from '../sdk/http-client.ts'
import type { Caller, HttpClient } from '../sdk/http-client.ts'
import { openSiteAdministration } from '../sdk/issuer.ts'
import type { SiteAdministration } from '../sdk/issuer.ts'
import { openLocalAcquirer } from '../sdk/local-acquirer.ts'
import type { LocalAcquirer } from '../sdk/local-acquirer.ts'
import { followNetwork } from '../sdk/pin-network.ts'
import { loadSiteSettings, siteDirectory } from '../site/config.ts'
import type { SiteSettings } from '../site/config.ts'
import { WrongUse } from './failures.ts'
import { pinFile, readMemberProfile } from './member-profile.ts'
import type { MemberProfile } from './member-profile.ts'
import { namesIn, whyNothing } from './require-home.ts'
import type { Session } from './session.ts'

/** Options of every verb that talks to a network. */
export interface NetworkOptions {
  readonly as?: string
  readonly network?: string
}

/** Where a network listens unless told. */
export const DEFAULT_NETWORK_URL = 'http://127.0.0.1:7400'

/** Connects to the network as a member, or as its operator when `--as operator`. */
export async function connectToNetwork(
  session: Session,
  options: NetworkOptions,
): Promise<{ client: HttpClient; profile: MemberProfile | undefined }> {
  const isOperator =
    options.as === 'operator' || (options.as === undefined && (await isFile(operatorKeyFile(session))))
  if (isOperator) return { client: await operatorClient(session, options), profile: undefined }
  const profile = await readMemberProfile(session.home, options.as)
  return { client: await memberClient(session, { profile, network: options.network }), profile }
}

/** Connects as the operator of the network whose directory is here. */
export async function operatorClient(session: Session, { network }: NetworkOptions): Promise<HttpClient> {
  const file = operatorKeyFile(session)
  if (!(await isFile(file))) {
    throw new WrongUse(`Only the operator of the network may do this, and there is no key of it at "${file}"`)
  }
  return namedClient(session, {
    url: await networkUrl(session, { flag: network }),
    pinDirectory: join(session.home, 'network'),
    caller: { issuer: 'operator', key: await readKeyFile(file) },
  })
}

/** Connects as a member. */
export async function memberClient(
  session: Session,
  { profile, network }: { profile: MemberProfile; network?: string | undefined },
): Promise<HttpClient> {
  return namedClient(session, {
    url: await networkUrl(session, { flag: network, profile }),
    pinDirectory: profile.directory,
    caller: { issuer: profile.member, key: profile.signing },
  })
}

/** Connects as an acquirer. */
export async function connectAcquirer(
  session: Session,
  options: NetworkOptions,
): Promise<{ acquirer: Acquirer; client: HttpClient; profile: MemberProfile }> {
  const profile = await readMemberProfile(session.home, options.as ?? session.environment['HEDGEROW_MEMBER'])
  const client = await memberClient(session, { profile, network: options.network })
  return { acquirer: acquirerOf(session, { profile, client }), client, profile }
}

/** Connects as an acquirer to one site on the local network, whose name it says itself. */
export async function connectLocalAcquirer(
  session: Session,
  { url, as }: { url: string; as: string | undefined },
): Promise<{ acquirer: LocalAcquirer; profile: MemberProfile }> {
  const { clock, ids, signal } = session
  requireSiteUrl(url)
  const profile = await readMemberProfile(session.home, as ?? session.environment['HEDGEROW_MEMBER'])
  const { site } = await httpClient({ server: { url, name: 'anybody' }, clock, ids, signal }).call(
    SITE_API.site,
  )
  const caller = { issuer: profile.member, key: profile.signing }
  const client = httpClient({ server: { url, name: site }, caller, clock, ids, signal })
  return { acquirer: openLocalAcquirer(acquirerParts(session, { profile, client })), profile }
}

/** An acquirer over a client that is already there. */
export function acquirerOf(
  session: Session,
  { profile, client }: { profile: MemberProfile; client: HttpClient },
): Acquirer {
  return openAcquirer(acquirerParts(session, { profile, client }))
}

function acquirerParts(
  session: Session,
  { profile, client }: { profile: MemberProfile; client: HttpClient },
): AcquirerParts {
  const { member, signing, sealing, retiredSealing, directory } = profile
  return {
    client,
    member,
    signing,
    sealing,
    retiredSealing,
    pins: pinFile(directory),
    clock: session.clock,
    ids: session.ids,
    random: session.random,
  }
}

/** A client without a token, for what is open to everybody. */
export async function publicClient(session: Session, { network }: NetworkOptions): Promise<HttpClient> {
  const url = await networkUrl(session, { flag: network })
  const { clock, ids, signal } = session
  return httpClient({ server: { url, name: 'anybody' }, clock, ids, signal })
}

async function namedClient(
  session: Session,
  { url, pinDirectory, caller }: { url: string; pinDirectory: string; caller: Caller },
): Promise<HttpClient> {
  const { clock, ids, signal } = session
  const anybody = httpClient({ server: { url, name: 'anybody' }, clock, ids, signal })
  const pinned = await followNetwork(anybody, pinFile(pinDirectory))
  return httpClient({
    server: { url, name: pinned.network?.name ?? '' },
    caller,
    clock,
    ids,
    keepsToken: true,
    signal,
  })
}

/** As told, else where the member's network is. */
async function networkUrl(
  session: Session,
  { flag, profile }: { flag: string | undefined; profile?: MemberProfile },
): Promise<string> {
  const known = await nearestNetwork(session, profile?.networkUrl ?? DEFAULT_NETWORK_URL)
  return requireNetworkUrl(flag ?? session.environment['HEDGEROW_NETWORK_URL'] ?? known)
}

/** A network's known address, or that of the one which runs under this home, where the known one is on this machine too. */
export async function nearestNetwork({ home }: Session, known: string): Promise<string> {
  const here = isThisMachine(known) ? await addressLeft(join(home, 'network')) : undefined
  return here ?? known
}

/** Whether an address is one that every machine has for itself. */
export function isThisMachine(url: string): boolean {
  return THIS_MACHINE.has(new URL(url).hostname)
}

const THIS_MACHINE: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** An address that a network can have. */
export function requireNetworkUrl(url: string): string {
  if (!isServerUrl(url))
    throw new WrongUse(
      `Cannot use "${url}" as the address of a network: expected one such as ${DEFAULT_NETWORK_URL}`,
    )
  return url
}

/** Options of every verb that talks to a site. */
export interface SiteOptions {
  readonly site?: string
  readonly url?: string
  readonly as?: string
}

/** Connects to a site as its operator (whose key is here), or with `--as` as an issuer. */
export async function connectToSite(
  session: Session,
  options: SiteOptions,
): Promise<{ administration: SiteAdministration; client: HttpClient; site: string }> {
  const { site, url } = await siteAddress(session, options)
  const caller = await siteCaller(session, { root: siteRoot(session, site), as: options.as })
  const { clock, ids, signal } = session
  const client = httpClient({ server: { url, name: site }, caller, clock, ids, signal })
  return { administration: openSiteAdministration(client), client, site }
}

/** Connects to a site with a token that the caller was given by an OpenID Connect provider. */
export async function connectWithToken(
  session: Session,
  { options, bearer }: { options: SiteOptions; bearer: string },
): Promise<{ client: HttpClient; site: string }> {
  const { site, url } = await siteAddress(session, options)
  const { clock, ids, signal } = session
  return { client: httpClient({ server: { url, name: site }, bearer, clock, ids, signal }), site }
}

async function siteAddress(session: Session, options: SiteOptions): Promise<{ site: string; url: string }> {
  const site = options.site ?? session.environment['HEDGEROW_SITE'] ?? (await onlySite(session))
  const url = options.url ?? (await siteUrlHere(session, site))
  if (url !== undefined) return { site, url: requireSiteUrl(url) }
  const names = namesIn(session.home, 'sites')
  const there = names.length === 0 ? whyNothing(session.home) : `, only ${names.join(', ')}`
  throw new WrongUse(
    `There is no site "${site}" under "${session.home}"${there}: say where it listens, with --url`,
  )
}

function requireSiteUrl(url: string): string {
  if (isServerUrl(url)) return url
  throw new WrongUse(
    `Cannot use "${url}" as the address of a site: expected one such as http://127.0.0.1:7411`,
  )
}

/** The directory of a site on this machine. */
export function siteRoot({ home }: Session, site: string): string {
  return join(home, 'sites', site)
}

/** Where a site whose directory is on this machine listens; while it does not run, where its settings say. */
export async function siteUrlHere(session: Session, site: string): Promise<string | undefined> {
  const settings = await siteSettingsHere(session, site)
  if (!settings) return undefined
  return (await addressLeft(siteRoot(session, site))) ?? serverUrl(settings)
}

/** The settings of a site, if its directory is on this machine. */
export async function siteSettingsHere(session: Session, site: string): Promise<SiteSettings | undefined> {
  const directory = siteDirectory(siteRoot(session, site))
  if (!(await isFile(directory.config))) return undefined
  return loadSiteSettings({ directory, environment: {}, flags: {} })
}

async function siteCaller(
  session: Session,
  { root, as }: { root: string; as: string | undefined },
): Promise<Caller> {
  if (as !== undefined && as !== 'operator') {
    return { issuer: as, key: (await readMemberProfile(session.home, as)).signing }
  }
  const file = join(siteDirectory(root).keys, 'operator.jwk')
  if (!(await isFile(file))) {
    throw new WrongUse(
      `Say as whom, with --as ISSUER: the operator's key of the site is not here (looked at "${file}")`,
    )
  }
  return { issuer: 'operator', key: await readKeyFile(file) }
}

/** The only site on this machine. */
export async function onlySite(session: Session): Promise<string> {
  const names = namesIn(session.home, 'sites')
  const [only] = names
  if (only === undefined) throw new WrongUse(noSite(session))
  if (names.length === 1) return only
  throw new WrongUse(`Say which site, with --site NAME: there are ${names.join(', ')}`)
}

function noSite({ home }: Session): string {
  return `There is no site under "${home}"${whyNothing(home)}: say --site NAME and --url ADDRESS of one elsewhere, make one with "hedgerow site init", or set HEDGEROW_HOME to where yours is`
}

function operatorKeyFile({ home }: Session): string {
  return join(home, 'network', 'keys', 'operator.jwk')
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
