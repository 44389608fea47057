/* oxlint-disable max-lines-per-function -- a table of events, one function each */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Clock } from '../kernel/clock.ts'
import { sayOf } from '../kernel/faults.ts'
import type { RateKind } from '../kernel/http/request-rates.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Log } from '../kernel/log.ts'
import { Seldom } from '../kernel/seldom.ts'
import type { ReasonCode } from '../protocol/reason.ts'
import type { DeclinedAsk, PassedAsk } from './authorisation/decided-ask.ts'
import type { NotCosigned } from './witness/cosign-checkpoint.ts'

/** Everything of note that happens at a network: one function an event, each with its log record and its counter. */
export interface NetworkEvents {
  started(facts: { url: string; members: number; sites: number }): void
  stopped(): void
  /** Asks of one request; `batch` when they came in one. */
  asksTaken(asks: readonly PassedAsk[], batch: string | undefined): void
  askDeclined(ask: DeclinedAsk): void
  forgeryTakenBack(facts: { asks: number }): void
  decided(facts: { ask: string; site: string; reason: ReasonCode }): void
  captured(facts: { ask: string; site: string; amountMinor: bigint; currency: string }): void
  unreachable(facts: { ask: string; site: string }): void
  offersPublished(facts: { site: string; offers: number }): void
  memberChanged(facts: {
    name: string
    change: 'added' | 'keys' | 'status' | 'processors' | 'limits' | 'collusion' | 'terms' | 'contact'
  }): void
  /**
   * A checkpoint that was shown to the witness and is not cosigned; `forked` and `inconsistent` are alarms. Anybody may show one: of
   * which log is said only where it is a site's.
   */
  notCosigned(facts: { why: NotCosigned['kind']; size: number; origin?: string }): void
  floorLimitChanged(facts: { limit: string; site: string; change: 'given' | 'closed' }): void
  transferred(facts: { transfer: string; kind: string }): void
  settled(facts: { settlement: string; positions: number }): void
  refused(facts: { reason: string }): void
  /** A request came too soon; of whom, no record tells. */
  readonly limited: (of: RateKind) => void
  sweepFailed(error: unknown): void
  workWaiting(site: string, waiting: number): void
  /** Prometheus text. */
  metrics(): Promise<string>
}

/** Why a checkpoint gets no cosignature that no site has signed: whoever shows it can do so at any rate. */
const UNSIGNED: ReadonlySet<NotCosigned['kind']> = new Set(['unknown-log', 'not-signed'])

/** Events into a log and a registry of their own. Ids stand in the log only, never in a label. */
export function networkEvents(log: Log, clock: Pick<Clock, 'now'>): NetworkEvents {
  const registry = new Registry()
  const seldom = new Seldom(clock, LIMITS.refusalsToldEveryMs)
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({
      name: `hedgerow_network_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
    })
  const asks = counter('asks_total', 'Asks by what the network decided', ['reason', 'mode'])
  const decisions = counter('decisions_total', 'Decisions of sites by reason', ['reason'])
  const captures = counter('captures_total', 'Holds that were captured', ['currency'])
  const capturedMinor = counter('captured_minor_total', 'Minor units captured', ['currency'])
  const limited = counter('limited_requests_total', 'Requests that came too soon, by whose rate it was', [
    'of',
  ])
  const refusals = counter('refused_requests_total', 'Requests without a good token, by reason', ['reason'])
  const settlements = counter('settlements_total', 'Settlements')
  const changes = counter('membership_changes_total', 'Changes of members and sites', ['change'])
  const uncosigned = counter('witness_not_cosigned_total', 'Checkpoints not cosigned, by why', ['why'])
  const sweepFailures = counter('sweep_failures_total', 'Sweeps that failed')
  const waitingSites = new Gauge({
    name: 'hedgerow_network_work_given_out',
    help: 'Asks that were given to a site and are not answered',
    labelNames: ['site'],
    registers: [registry],
  })
  return {
    started: (facts) => log.info('network.started', facts),
    stopped: () => log.info('network.stopped'),
    asksTaken(taken, batch) {
      // Counting one by one takes longer than an ask's place in a batch.
      for (const [mode, same] of Map.groupBy(taken, ({ sent }) => sent.ask.mode))
        asks.inc({ reason: 'taken', mode }, same.length)
      // A record for each ask of a large batch would cost more than the asks: the batch names them.
      if (batch !== undefined) log.info('asks.taken', { batch, asks: taken.length })
      else {
        for (const { sent, legs } of taken) {
          log.info('ask.taken', { ask: sent.ask.id, acquirer: sent.ask.acquirer, sites: legs.length })
        }
      }
    },
    askDeclined({ sent: { ask }, decline }) {
      asks.inc({ reason: decline.code, mode: ask.mode })
      log.info('ask.declined', { ask: ask.id, acquirer: ask.acquirer, reason: decline.code })
    },
    forgeryTakenBack: (facts) => log.warn('ask.forgery_taken_back', facts),
    decided(facts) {
      decisions.inc({ reason: facts.reason })
      log.info('ask.decided', facts)
    },
    captured({ ask, site, amountMinor, currency }) {
      captures.inc({ currency })
      capturedMinor.inc({ currency }, Number(amountMinor))
      log.info('hold.captured', { ask, site })
    },
    unreachable(facts) {
      decisions.inc({ reason: 'declined.site_unreachable' })
      log.warn('site.unreachable', facts)
    },
    offersPublished: (facts) => log.info('offers.published', facts),
    memberChanged(facts) {
      changes.inc({ change: facts.change })
      log.info('membership.changed', facts)
    },
    notCosigned(facts) {
      uncosigned.inc({ why: facts.why })
      // Stale is how a site that was started anew finds where to go on.
      if (facts.why === 'stale') return
      const tell = (counts = {}) => log.warn('witness.not_cosigned', { ...facts, ...counts })
      if (!UNSIGNED.has(facts.why)) return tell()
      // A site that is not registered yet shows its log each second.
      seldom.tell(`${facts.why} ${facts.origin ?? ''}`, (untold) => tell({ untold }))
    },
    floorLimitChanged: (facts) => log.info('floor_limit.changed', facts),
    transferred: (facts) => log.info('ledger.transferred', facts),
    settled(facts) {
      settlements.inc()
      log.info('ledger.settled', facts)
    },
    limited: (of) => limited.inc({ of }),
    refused(facts) {
      refusals.inc({ reason: facts.reason })
      seldom.tell(facts.reason, (untold) => log.warn('request.refused', { ...facts, untold }))
    },
    sweepFailed(error) {
      sweepFailures.inc()
      log.error('sweep.failed', { what: sayOf(error) })
    },
    workWaiting: (site, waiting) => waitingSites.set({ site }, waiting),
    metrics: () => registry.metrics(),
  }
}
