import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { Fault, sayOf } from '../kernel/faults.ts'
import type { RateKind } from '../kernel/http/request-rates.ts'
import type { Log } from '../kernel/log.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'
import type { ReasonCode } from '../protocol/reason.ts'

/** What happens at a site, for its operator: one function an event, log record and meter together. Ids and codes only. */
export interface SiteEvents {
  started(facts: { url: string }): void
  stopped(): void
  lineUp(): void
  lineDown(error: unknown): void
  decided(facts: {
    ask: string
    acquirer: string
    dataSet: string
    reason: ReasonCode
    operatorNote?: string | undefined
    durationMs: number
  }): void
  decisionRefused(ask: string, error: unknown): void
  /** An enforcement point was answered; about one person no reason is told, and of whom, never. */
  evaluated(facts: { by: string; reason: ReasonCode | undefined }): void
  imported(facts: { dataSet: string; batch: string; rows: number }): void
  grantsChanged(facts: { given: number; revoked: number }): void
  evidenceGiven(facts: { validUntil: string }): void
  erased(facts: { erasure: string }): void
  restricted(facts: { restriction: string }): void
  corrected(facts: { correction: string; dataSet: string }): void
  guardianshipChanged(facts: { guardianship: string; isEnded: boolean }): void
  backedUp(facts: { backup: string; sizeBytes: number }): void
  backupsExpired(facts: { backups: number }): void
  erasuresCompleted(facts: { erasures: number }): void
  retentionSwept(facts: { rows: number; people: number }): void
  noticeSent(facts: { notice: string; acquirer: string; kind: string }): void
  /** It waits: its recipient is not to be reached. */
  noticeHeldBack(facts: { acquirer: string; why: string }): void
  noticeAcknowledged(facts: { notice: string; acquirer: string; outcome: string }): void
  /** Somebody said that a recipient acknowledged, and it did not. */
  acknowledgementRefused(facts: { notice: string; acquirer: string }): void
  recipientsFailed(error: unknown): void
  /** The witness would not sign a checkpoint: to it this log is not the one that it saw before. */
  notWitnessed(facts: { size: number; status: number }): void
  /** A request came too soon; of whom, no record tells. */
  readonly limited: (of: RateKind) => void
  failed(what: string, error: unknown): void
  /** Prometheus text. */
  metrics(): Promise<string>
}

const DURATION_BUCKETS_S = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

export function siteEvents(log: Log): SiteEvents {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const decisions = new Counter({
    name: 'hedgerow_site_decisions_total',
    help: 'Decisions by reason',
    labelNames: ['reason'],
    registers,
  })
  const duration = new Histogram({
    name: 'hedgerow_site_decision_seconds',
    help: 'Time from pulled ask to durable answer',
    buckets: DURATION_BUCKETS_S,
    registers,
  })
  const lineFailures = new Counter({
    name: 'hedgerow_site_line_failures_total',
    help: 'Times the line to the network broke',
    registers,
  })
  const rows = new Counter({ name: 'hedgerow_site_rows_imported_total', help: 'Rows imported', registers })
  const grants = new Counter({
    name: 'hedgerow_site_grant_changes_total',
    help: 'Grants given and revoked',
    labelNames: ['change'],
    registers,
  })
  const limited = new Counter({
    name: 'hedgerow_site_limited_requests_total',
    help: 'Requests that came too soon, by whose rate it was',
    labelNames: ['of'],
    registers,
  })
  return {
    started: (facts) => log.info('site.started', facts),
    stopped: () => log.info('site.stopped'),
    lineUp: () => log.info('site.line_up'),
    lineDown: (error) => {
      lineFailures.inc()
      log.warn('site.line_down', describe(error))
    },
    decided: ({ durationMs, ...facts }) => {
      decisions.inc({ reason: facts.reason })
      duration.observe(durationMs / 1000)
      log.info('site.decided', facts)
    },
    decisionRefused: (ask, error) => log.warn('site.decision_refused', { ask, ...describe(error) }),
    imported: (facts) => {
      rows.inc(facts.rows)
      log.info('site.imported', facts)
    },
    grantsChanged: (facts) => {
      grants.inc({ change: 'given' }, facts.given)
      grants.inc({ change: 'revoked' }, facts.revoked)
      log.info('site.grants_changed', facts)
    },
    evidenceGiven: (facts) => log.info('site.evidence_given', facts),
    ...accessEvents(log, registers),
    ...rightsEvents(log, registers),
    ...noticeEvents(log, registers),
    notWitnessed: (facts) => log.error('site.not_witnessed', facts),
    limited: (of) => limited.inc({ of }),
    failed: (what, error) => log.error('site.failed', { what, ...describe(error) }),
    metrics: () => registry.metrics(),
  }
}

/** What enforcement points were answered. */
function accessEvents(log: Log, registers: Registry[]): Pick<SiteEvents, 'evaluated'> {
  const evaluations = new Counter({
    name: 'hedgerow_site_evaluations_total',
    help: 'Decisions for enforcement points by reason',
    labelNames: ['reason'],
    registers,
  })
  return {
    evaluated: (facts) => {
      evaluations.inc({ reason: facts.reason ?? 'about_a_person' })
      log.info('site.evaluated', facts)
    },
  }
}

/** What was done with people's data at their word. */
function rightsEvents(
  log: Log,
  registers: Registry[],
): Pick<
  SiteEvents,
  | 'erased'
  | 'erasuresCompleted'
  | 'restricted'
  | 'corrected'
  | 'guardianshipChanged'
  | 'backedUp'
  | 'backupsExpired'
  | 'retentionSwept'
> {
  const erasures = new Counter({
    name: 'hedgerow_site_erasures_total',
    help: 'Erasures by the grade they reached',
    labelNames: ['grade'],
    registers,
  })
  return {
    retentionSwept: (facts) => log.info('site.retention_swept', facts),
    restricted: (facts) => log.info('site.restricted', facts),
    guardianshipChanged: (facts) => log.info('site.guardianship_changed', facts),
    corrected: (facts) => log.info('site.corrected', facts),
    backedUp: (facts) => log.info('site.backed_up', facts),
    backupsExpired: (facts) => log.info('site.backups_expired', facts),
    erased: (facts) => {
      erasures.inc({ grade: 'deleted' })
      log.info('site.erased', facts)
    },
    erasuresCompleted: (facts) => {
      erasures.inc({ grade: 'permanent' }, facts.erasures)
      log.info('site.erasures_completed', facts)
    },
  }
}

/** What recipients of rows were told. */
function noticeEvents(
  log: Log,
  registers: Registry[],
): Pick<
  SiteEvents,
  'noticeSent' | 'noticeHeldBack' | 'noticeAcknowledged' | 'acknowledgementRefused' | 'recipientsFailed'
> {
  const notices = new Counter({
    name: 'hedgerow_site_recipient_notices_total',
    help: 'Notices to recipients of rows by what became of them',
    labelNames: ['change'],
    registers,
  })
  return {
    noticeSent: (facts) => {
      notices.inc({ change: 'sent' })
      log.info('site.notice_sent', facts)
    },
    noticeHeldBack: (facts) => log.warn('site.notice_held_back', facts),
    noticeAcknowledged: (facts) => {
      notices.inc({ change: 'acknowledged' })
      log.info('site.notice_acknowledged', facts)
    },
    acknowledgementRefused: (facts) => {
      notices.inc({ change: 'refused' })
      log.warn('site.acknowledgement_refused', facts)
    },
    recipientsFailed: (error) => log.warn('site.recipients_failed', describe(error)),
  }
}

/** Only codes and our own sentences: an engine's message may quote a value. */
function describe(error: unknown): { code: string; said?: string } {
  if (error instanceof PeerRefusal) return { code: error.problemCode, said: error.message }
  if (error instanceof Fault) return { code: error.code, said: error.message }
  return { code: 'fault.internal', said: sayOf(error) }
}
