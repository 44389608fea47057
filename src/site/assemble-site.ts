import { requestMemory } from './record/request-mark.ts'
import { sql } from 'kysely'
import { formatInstant } from '../kernel/clock.ts'
import { Fault } from '../kernel/faults.ts'
import { AccessTokens } from '../kernel/http/access-tokens.ts'
import { recordIdempotencyStore } from '../kernel/http/idempotency.ts'
import { listen } from '../kernel/http/listen.ts'
import { leaveAddress } from '../kernel/http/serving-address.ts'
import { metricsReadersOf } from '../kernel/http/metrics-readers.ts'
import { requestRates } from '../kernel/http/request-rates.ts'
import { recordUsedTokens } from '../kernel/http/used-tokens.ts'
import type { KeySet } from '../protocol/member.ts'
import { serveArchive } from './backup/receipt-archiver.ts'
import { markPushed, unpushedAnswers } from './asks/answer-store.ts'
import type { StoredAnswer } from './asks/answer-store.ts'
import { AnswersUnderWay } from './asks/answers-under-way.ts'
import { decisionMessageOf } from './asks/decision-message.ts'
import type { SiteSettings } from './config.ts'
import { KnownAcquirers } from './access/known-acquirers.ts'
import { accessActs } from './doors/access-acts.ts'
import { backupActs } from './doors/backup-acts.ts'
import { dataSetActs } from './doors/data-set-acts.ts'
import { questionActs } from './doors/question-acts.ts'
import { grantActs } from './doors/grant-acts.ts'
import { personActs } from './doors/person-acts.ts'
import { localAskActs } from './doors/local-ask-acts.ts'
import type { LocalAskActs } from './doors/local-ask-acts.ts'
import { requestActs } from './doors/request-acts.ts'
import { siteDoor } from './doors/http.ts'
import type { SiteEvents } from './events.ts'
import { handOver } from './handover/hand-over.ts'
import { handOverNotes } from './handover/handed-over.ts'
import { officerActs } from './doors/officer-acts.ts'
import { principalActs } from './doors/principal-acts.ts'
import { proofActs } from './doors/proof-acts.ts'
import { retentionActs } from './doors/retention-acts.ts'
import { rightsActs } from './doors/rights-acts.ts'
import type { SiteActs } from './doors/site-acts.ts'
import { Bell } from './floor/bell.ts'
import { localMessage } from './floor/local-message.ts'
import { reconcileForEver } from './floor/reconcile.ts'
import { openAgentDesk } from './data-rights/agent-desk.ts'
import { serveAgents } from './data-rights/tell-agents.ts'
import { learnParties } from './officer/party-names.ts'
import { networkLine } from './line/network-line.ts'
import type { NetworkLine } from './line/network-line.ts'
import { requireContinued } from './line/require-continued.ts'
import { serveLine } from './line/serve-line.ts'
import type { LineActs, PulledAsk } from './line/serve-line.ts'
import { showWitnessForEver } from './line/show-witness.ts'
import type { WitnessLine } from './line/show-witness.ts'
import { signOffers } from './line/sign-offers.ts'
import { witnessLine } from './line/witness-line.ts'
import { markForEver } from './one-moment.ts'
import { openSite } from './open-site.ts'
import type { SiteStart } from './open-site.ts'
import { orderWithdrawals } from './recipients/order-withdrawals.ts'
import { forgetForEver } from './record/forget-passed.ts'
import { serveRecipients } from './recipients/serve-recipients.ts'
import { peopleToAsk } from './rights/people-to-ask.ts'
import { serveRights } from './rights/serve-rights.ts'
import type { SiteContext } from './site-context.ts'
import { ISSUERS } from './vouched-keys.ts'

/** A site that serves. Disposing stops it cleanly: nothing acknowledged is lost. */
export interface ServingSite extends AsyncDisposable {
  readonly url: string
  /** Resolves when it cannot go on: it is to be disposed of, and started anew. */
  readonly ended: Promise<Fault>
}

/**
 * Starts a site: everything below its doors, then the door on the local network, then the line to the network, which
 * the site dials and nobody dials into.
 *
 * @throws Fault `fault.key_missing`, `fault.key_exposed`, `fault.evidence_missing`, `fault.directory_in_use`, `fault.parts_apart`,
 * `fault.directory_version`, `fault.database_unreachable`, `fault.database_version`, `fault.database_unfit`, `fault.port_in_use`
 */
export async function serveSite(
  start: SiteStart & { readonly version?: string | undefined },
): Promise<ServingSite> {
  const { settings, clock } = start
  await using starting = new AsyncDisposableStack()
  let offersChanged = new AbortController()
  const site = await openSite(start, starting, () => {
    const before = offersChanged
    offersChanged = new AbortController()
    before.abort()
  })
  const line = networkLine({
    url: settings.network.url,
    networkName: settings.network.name,
    site: settings.site,
    key: site.keys.signing,
    clock,
    ids: site.ids,
  })
  const answering = new AnswersUnderWay(site)
  const bell = new Bell()
  const local = { site, answer: (pulled: PulledAsk) => answering.answer(pulled), booked: () => bell.ring() }
  const acquirers = knownAcquirers(site, line)
  const closing = new AbortController()
  const facts = { settings, line, acquirers, closing: closing.signal }
  const acts = { ...siteActs(site, facts), ...localAskActs(local) }
  const app = doorOf(site, { start, acts })
  const door = starting.use(await listen(app, settings))
  starting.use(await leaveAddress(site.root, door.url))
  const standing = standingOf(site, { settings, line })
  const { promise: apart, resolve: endApart } = Promise.withResolvers<Fault>()
  const working = workBehindDoor(site, {
    settings,
    line,
    answering,
    bell,
    acquirers,
    standing,
    endApart,
    offersChanged: () => offersChanged.signal,
    signal: closing.signal,
  })
  starting.defer(async () => {
    closing.abort()
    // A backup that is being written is given up or done before what it reads from is closed.
    const written = site.backups.turn.run(() => Promise.resolve())
    await Promise.all([working, written])
  })
  site.events.started({ url: door.url })
  const running = starting.move()
  return {
    url: door.url,
    ended: Promise.race([site.ended, standing.ended, apart]),
    async [Symbol.asyncDispose]() {
      await running.disposeAsync()
      site.events.stopped()
    },
  }
}

/** The door with what it keeps: tokens that were used, answers that are given again, how much each caller may ask for. */
function doorOf(
  site: SiteContext,
  { start, acts }: { start: Parameters<typeof serveSite>[0]; acts: SiteActs },
): ReturnType<typeof siteDoor> {
  const { settings, clock, random, log, version = '0' } = start
  const usedTokens = recordUsedTokens({ db: site.db })
  return siteDoor(acts, {
    site: settings.site,
    version,
    log,
    clock,
    ids: site.ids,
    operatorKey: site.keys.operator.publicJwk,
    signIn: settings.oidc,
    idempotency: recordIdempotencyStore({
      db: site.db,
      clock,
      memory: requestMemory(site.keys.lookup, random),
    }),
    rates: requestRates({ settings: settings.requestRates, clock, random, limited: site.events.limited }),
    publicUrl: settings.publicUrl,
    mayReadMetrics: metricsReadersOf(settings),
    usedTokens,
    accessTokens: new AccessTokens({ clock, random }),
    agentDesk: openAgentDesk(site, { directory: settings.dataRights, usedTokens }),
  })
}

/** How the log of a site stands to what the witness saw of it. */
interface Standing {
  readonly witness: WitnessLine
  /** Throws where the log does not go on from what the witness saw; then the site ends. */
  require(): Promise<void>
  readonly ended: Promise<Fault>
}

function standingOf(
  { log, keys, clock }: SiteContext,
  { settings: { network, site }, line }: { settings: SiteSettings; line: NetworkLine },
): Standing {
  const witness = witnessLine({ url: network.url, site, network: line, clock })
  const { promise: ended, resolve: end } = Promise.withResolvers<Fault>()
  const ofLog = { present: keys.signing.publicJwk, former: keys.former.signing }
  return {
    witness,
    ended,
    async require() {
      try {
        await requireContinued({ site, keys: ofLog, log, line: witness })
      } catch (error) {
        if (error instanceof Fault && error.code === 'fault.log_behind') end(error)
        throw error
      }
    },
  }
}

/** Everything that a site does of itself, until `signal` is aborted; what it serves at its door waits for none of it. */
async function workBehindDoor(
  site: SiteContext,
  {
    settings,
    line,
    answering,
    bell,
    acquirers,
    standing,
    endApart,
    offersChanged,
    signal,
  }: {
    settings: SiteSettings
    line: NetworkLine
    answering: AnswersUnderWay
    bell: Bell
    acquirers: KnownAcquirers
    standing: Standing
    /** Told that the site is no longer of one moment. */
    endApart: (fault: Fault) => void
    offersChanged: () => AbortSignal
    signal: AbortSignal
  },
): Promise<void> {
  const { clock, events } = site
  const refreshMs = settings.floorLimits.refreshSeconds * 1_000
  signal.addEventListener('abort', () => answering.stop())
  // What was booked while the network was away is cleared as soon as it is back.
  const lineEvents: SiteEvents = {
    ...events,
    lineUp: () => {
      events.lineUp()
      bell.ring()
    },
  }
  // Those that floor limits are for are read again too.
  const membersChanged = () => {
    acquirers.forget()
    bell.ring()
  }
  const acts = lineActs(site, { settings, answering })
  await Promise.all([
    serveLine({
      line,
      acts: { ...acts, membersChanged, requireContinued: () => standing.require() },
      clock,
      events: lineEvents,
      signal,
      offersChanged,
    }),
    reconcileForEver({ site, line, bell, clock, refreshMs, networkKey: settings.network.key, signal }),
    showWitnessForEver({
      log: site.log,
      line: standing.witness,
      clock,
      events,
      signal,
      lookAgain: () => standing.require(),
      quietMs: () => answering.quietMs(),
    }),
    markForEver({ mark: site.vaultMark, vault: site.vault, clock, events, signal, end: endApart }),
    serveRights({ parts: site, clock, events, signal }),
    serveRecipients(site, { line, signal }),
    forgetForEver({ db: site.db, clock, events, signal }),
    learnParties(site, { line, clock, signal }),
    serveAgents(site, { directory: settings.dataRights, clock, signal }),
    serveArchive({ archiver: site.archiver, clock, events, signal }),
  ])
}

function siteActs(
  site: SiteContext,
  {
    settings,
    line,
    acquirers,
    closing,
  }: { settings: SiteSettings; line: NetworkLine; acquirers: KnownAcquirers; closing: AbortSignal },
): Omit<SiteActs, keyof LocalAskActs> {
  return {
    ...dataSetActs(site),
    ...questionActs(site),
    ...grantActs(site),
    ...proofActs(site),
    ...personActs(site),
    ...rightsActs(site, { withdrawAtOnce: () => withdrawAtOnce(site, line), closing }),
    ...requestActs(site),
    ...backupActs(site),
    ...retentionActs(site),
    requestMark: site.consent.requestMark,
    site: () =>
      Promise.resolve({
        site: settings.site,
        custodian: settings.custodian,
        territory: settings.territory,
        keys: publicKeys(site),
        ...(site.keys.former.first ? { firstKeys: site.keys.former.first } : {}),
        rotations: [...site.keys.former.rotations],
        ...windDownView(site),
      }),
    registerIssuer: (issuer) => ISSUERS.register(site.db, { ...issuer, now: site.clock.now() }),
    issuerKey: (member, keyId) => ISSUERS.findKey(site.db, { member, keyId }),
    readiness: async () => {
      const evidence = site.evidence.current(site.clock.now())?.evidence
      const checks = {
        database: await isAnswering(site),
        evidence: evidence !== undefined && evidence.validUntil > site.clock.now(),
      }
      // Without evidence every ask is declined, but the site serves: people's rights do not wait for it.
      return { isReady: checks.database, checks }
    },
    metrics: () => site.events.metrics(),
    officer: officerActs(site),
    access: accessActs({ site, acquirers }),
    principals: principalActs(site),
    handOver: (request) => handOver(site, request),
    ...handOverNotes(site),
    peopleToAsk: (request) => peopleToAsk(site, request),
    windDown: (reason) => windDown(site, reason),
  }
}

function knownAcquirers({ clock, pins }: SiteContext, line: NetworkLine): KnownAcquirers {
  return new KnownAcquirers({
    clock,
    fromNetwork: (id, signal) => line.member(id, signal),
    remembered: (id, now) => pins.record(id, now),
  })
}

/** Has the network remove withdrawn releases now. Where it cannot be reached the certificate says so, and it is tried again. */
async function withdrawAtOnce(site: SiteContext, line: NetworkLine): Promise<void> {
  try {
    await orderWithdrawals(site, { line, isAgain: true, isAtOnce: true })
  } catch (error) {
    site.events.recipientsFailed(error)
  }
}

/** From the moment this resolves nothing is offered; the network is told at once. */
async function windDown(site: SiteContext, reason: string): Promise<{ since: string; reason: string }> {
  const state = await site.windDown.begin({ reason, now: site.clock.now() })
  await site.offersChanged()
  return { since: formatInstant(state.since), reason: state.reason }
}

function windDownView({ windDown: { state } }: SiteContext) {
  return state && { windDown: { since: formatInstant(state.since), reason: state.reason } }
}

function lineActs(
  site: SiteContext,
  { settings, answering }: { settings: SiteSettings; answering: AnswersUnderWay },
): Omit<LineActs<StoredAnswer>, 'membersChanged' | 'requireContinued'> {
  return {
    answer: (pulled) => answering.answer(pulled),
    message: (answer) =>
      answer.floorLimit === undefined ? decisionMessageOf(answer, site.log) : localMessage(answer, site),
    unpushed: (limit) => unpushedAnswers(site.db, limit),
    markPushed: (answer) => markPushed(site.db, { ...answer, now: site.clock.now() }),
    offersPublished: (offers) => site.published.note(offers),
    offers: () => {
      const offering = { site: settings.site, territory: settings.territory, keys: publicKeys(site) }
      const signed = { site: offering, key: site.keys.signing, now: site.clock.now() }
      return Promise.resolve(signOffers(site.isOffering() ? [...site.manifests().values()] : [], signed))
    },
  }
}

function publicKeys({ keys }: SiteContext): KeySet {
  return { signing: keys.signing.publicJwk, sealing: keys.sealing.publicJwk }
}

async function isAnswering({ db }: SiteContext): Promise<boolean> {
  return sql`select 1`.execute(db).then(
    () => true,
    () => false,
  )
}
