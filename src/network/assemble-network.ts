import { later } from '../kernel/clock.ts'
import type { Clock } from '../kernel/clock.ts'
import { ensureKeyFile } from '../kernel/crypto/key-file.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { lockDirectory } from '../kernel/directory-lock.ts'
import type { Fault } from '../kernel/faults.ts'
import { AccessTokens } from '../kernel/http/access-tokens.ts'
import { FORGET_EVERY_MS, forgetPassedRequests } from '../kernel/http/forget-passed.ts'
import { listen } from '../kernel/http/listen.ts'
import { leaveAddress } from '../kernel/http/serving-address.ts'
import { requestRates } from '../kernel/http/request-rates.ts'
import { recordUsedTokens } from '../kernel/http/used-tokens.ts'
import { idSource } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import { Mutex } from '../kernel/mutex.ts'
import type { Database } from '../kernel/postgres/database.ts'
import { migrate } from '../kernel/postgres/migrate.ts'
import { openPostgres } from '../kernel/postgres/open-postgres.ts'
import type { Random } from '../kernel/random.ts'
import { openReceiptLog } from '../transparency/receipt-log.ts'
import { Authoriser } from './authorisation/authorise.ts'
import { BookingLine } from './authorisation/booking-line.ts'
import type { BookedAsk } from './authorisation/decided-ask.ts'
import { Catalogue } from './catalogue/catalogue.ts'
import { sweepExpired } from './clearing/sweep-expired.ts'
import type { SweepParts } from './clearing/sweep-expired.ts'
import { claimDatabase, requireKeysForDatabase } from './claim-database.ts'
import { networkDirectory } from './config.ts'
import type { NetworkSettings } from './config.ts'
import { EMBEDDED_SETTINGS } from './embedded-settings.ts'
import { forgetDisputeTexts } from './disputes/dispute-texts.ts'
import { networkDoor } from './doors/network-door.ts'
import { askBell, noticeBell, siteBell } from './doors/network-parts.ts'
import type { NetworkParts } from './doors/network-parts.ts'
import { networkEvents } from './events.ts'
import { sweepFloorLimits } from './floor/close-floor-limits.ts'
import { signLimitsAgain } from './floor/sign-limits-again.ts'
import { Directory } from './membership/directory.ts'
import { TermsOfUse } from './membership/terms-of-use.ts'
import { NETWORK_MIGRATIONS } from './migrations/migrations.ts'
import { openNetworkKeys } from './network-keys.ts'
import type { NetworkKeys } from './network-keys.ts'
import { WithdrawnPurge } from './notices/purge-withdrawn.ts'
import { AsksUnderWay } from './routing/asks-under-way.ts'
import { WorkDesk } from './routing/pull-work.ts'
import { WakeUp } from './routing/wake-up.ts'
import type { WitnessKeys } from './witness/sign-by-present-key.ts'

/** What a network is started with. Everything of the outside world comes in here. */
export interface NetworkStart {
  /** The network's own directory, for example `.hedgerow/network`. */
  readonly root: string
  readonly settings: NetworkSettings
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** The version of the package, told at `/v1/network`. */
  readonly version?: string
}

const HOUR_MS = 3_600_000

/** A network that serves. Disposing stops it cleanly: no new requests, nothing acknowledged is lost. */
export interface ServingNetwork extends AsyncDisposable {
  readonly url: string
  /** Resolves when it cannot go on: it is to be disposed of, and started anew. */
  readonly ended: Promise<Fault>
  /** Looks for expired asks now; the network does so by itself at its interval. */
  sweep(): Promise<void>
}

/**
 * Starts a network: directory, database, schema, keys, log, door. What is missing is made.
 *
 * @throws Fault `fault.directory_in_use`, `fault.database_in_use`, `fault.directory_version`, `fault.database_unreachable`, `fault.database_version`, `fault.database_unfit`,
 * `fault.key_missing`, `fault.key_exposed`, `fault.key_malformed`, `fault.log_damaged`, `fault.port_in_use`
 */
export async function serveNetwork(start: NetworkStart): Promise<ServingNetwork> {
  const { root, settings, log, clock } = start
  const directory = networkDirectory(root)
  await using starting = new AsyncDisposableStack()
  starting.use(await lockDirectory(directory.root))
  const { databaseUrl: url, name } = settings
  const postgres = starting.use(
    await openPostgres({
      directory: directory.root,
      url,
      name: 'network',
      log,
      embeddedSettings: EMBEDDED_SETTINGS,
    }),
  )
  const { db, ended } = postgres
  const line = starting.use(new BookingLine(postgres))
  await line.open()
  await migrate(db, NETWORK_MIGRATIONS)
  await requireKeysForDatabase(db, directory.keys)
  const keys = await openNetworkKeys({ directory: directory.keys, network: name })
  await claimDatabase(db, { keys, directory: directory.keys })
  const operatorKey = await ensureKeyFile(directory.operatorKey, 'Ed25519')
  const receiptLog = await openReceiptLog({
    db,
    directory: directory.root,
    signer: { name, key: keys.signing, formerKeys: keys.formerSigning },
    clock,
  })
  await signLimitsAgain(db, keys)
  const closing = new AbortController()
  const built = await buildParts(start, {
    db,
    line,
    receiptLog,
    keys,
    operatorKey,
    closing: closing.signal,
  })
  const { parts, sweepParts } = built
  const sweep = sweeper(sweepParts)
  const door = await listen(networkDoor(parts, { log }), settings)
  starting.use(door)
  starting.use(await leaveAddress(directory.root, door.url))
  const sweeping = sweepForEver({
    sweep,
    parts,
    intervalMs: settings.sweepIntervalMs,
    signal: closing.signal,
  })
  starting.defer(async () => {
    closing.abort()
    await sweeping
  })
  const { directory: known } = parts.membership
  parts.events.started({ url: door.url, members: known.members().length, sites: known.sites().length })
  const running = starting.move()
  return {
    url: door.url,
    ended: Promise.race([ended, line.ended]),
    sweep,
    async [Symbol.asyncDispose]() {
      await running.disposeAsync()
      parts.events.stopped()
    },
  }
}

interface Opened {
  readonly db: Database
  readonly line: BookingLine
  readonly receiptLog: NetworkParts['log']
  readonly keys: NetworkKeys
  readonly operatorKey: KeyPair
  readonly closing: AbortSignal
}

async function buildParts(
  { settings, log, clock, random, version = '0' }: NetworkStart,
  { db, line, receiptLog, keys, operatorKey, closing }: Opened,
): Promise<{ parts: NetworkParts; sweepParts: SweepParts }> {
  const { name, activityPage, withdrawalWindowHours } = settings
  const ids = idSource(clock, random)
  const events = networkEvents(log, clock)
  const wakeUp = new WakeUp({ clock, closing })
  const directory: Directory = await Directory.open(db, {
    epoch: ids.next('dir'),
    changed: () => {
      for (const { id } of directory.sites()) wakeUp.wake(siteBell(id))
    },
  })
  const catalogue = await Catalogue.open(db)
  const termsOfUse = await TermsOfUse.open(db)
  const workDesk = new WorkDesk({ db, clock, directory })
  const accessTokens = new AccessTokens({ clock, random })
  const underWay = new AsksUnderWay()
  const wakeSites = (sites: ReadonlySet<string>, booked?: BookedAsk) => {
    if (booked) underWay.booked(booked)
    workDesk.came(sites, booked)
    for (const site of sites) wakeUp.wake(siteBell(site))
  }
  const answered = (site: string, ask: string) => {
    workDesk.answered(site, ask)
    wakeUp.wake(askBell(ask))
  }
  const asking = { line, catalogue, termsOfUse, log: receiptLog, events, wakeSites }
  const parts: NetworkParts = {
    name,
    version,
    activityPage,
    keys,
    db,
    clock,
    ids,
    log: receiptLog,
    events,
    membership: { db, clock, directory, networkName: name },
    authentication: {
      clock,
      directory,
      accessTokens,
      usedTokens: recordUsedTokens({ db }),
      operatorKey: operatorKey.publicJwk,
      audience: name,
    },
    accessTokens,
    rates: requestRates({ settings: settings.requestRates, clock, random, limited: events.limited }),
    catalogue,
    termsOfUse,
    authoriser: new Authoriser({ db, clock, directory, ...asking }),
    notices: { db, clock, directory, told: (site) => wakeUp.wake(noticeBell(site)) },
    purge: new WithdrawnPurge({ db, clock, windowMs: withdrawalWindowHours * HOUR_MS, closing }),
    clearing: { db, clock, directory, events, underWay, answered },
    underWay,
    workDesk,
    witness: { db, clock, directory, keys: witnessKeysOf(name, keys) },
    wakeUp,
  }
  const unanswered = (site: string, ask: string) => {
    underWay.answered({ ask, site }, undefined)
    answered(site, ask)
  }
  return { parts, sweepParts: { db, clock, log: receiptLog, events, answered: unanswered } }
}

function witnessKeysOf(network: string, { witness, formerWitness }: NetworkKeys): WitnessKeys {
  return { name: `hedgerow/${network}/witness`, key: witness, formerKeys: formerWitness }
}

/** One sweep at a time: one that has ended has closed everything that had expired when it began. */
function sweeper(parts: SweepParts): () => Promise<void> {
  const sweeps = new Mutex()
  const { clock } = parts
  let forgetAt = clock.now()
  return () =>
    sweeps.run(async () => {
      await sweepAll(parts)
      if (clock.now() < forgetAt) return
      await forgetPassedRequests(parts)
      await forgetDisputeTexts(parts.db, clock.now())
      forgetAt = later(clock.now(), FORGET_EVERY_MS)
    })
}

async function sweepAll(parts: SweepParts): Promise<void> {
  await sweepExpired(parts)
  await sweepFloorLimits(parts)
}

async function sweepForEver({
  sweep,
  parts,
  intervalMs,
  signal,
}: {
  sweep: () => Promise<void>
  parts: NetworkParts
  intervalMs: number
  signal: AbortSignal
}): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweep()
      await parts.purge.whenDue()
      parts.accessTokens.forgetExpired()
    } catch (error) {
      parts.events.sweepFailed(error)
    }
    await parts.clock.sleep(intervalMs, signal)
  }
}
