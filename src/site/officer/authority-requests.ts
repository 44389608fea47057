import { formatDate, formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { describeProblems } from '../../kernel/parse.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { decisionProblems } from '../../protocol/law/authority-request.ts'
import type {
  AuthorityDecision,
  AuthorityRequest,
  AuthorityRequestView,
} from '../../protocol/law/authority-request.ts'
import { isInEea } from '../../protocol/law/legal-zones.ts'
import type { SiteContext } from '../site-context.ts'
import {
  insertAuthorityDecision,
  insertAuthorityRequest,
  readAuthorityRequests,
  wireRequest,
} from './authority-request-store.ts'
import type { StoredAuthorityRequest } from './authority-request-store.ts'

/** Requests of authorities of third countries as the officer works with them. `issuer`: only what that one may see. */
export interface AuthorityRequestActs {
  listAuthorityRequests(scope: { issuer?: string | undefined }): Promise<{ items: AuthorityRequestView[] }>
  recordAuthorityRequest(facts: AuthorityRequest): Promise<AuthorityRequestView>
  /** `undefined` when there is none. */
  decideAuthorityRequest(request: {
    request: string
    decision: AuthorityDecision
  }): Promise<AuthorityRequestView | undefined>
}

/** Nothing is given by the site itself: what is kept is who asked, what was decided and why, and that the holders know. */
export function authorityRequestActs(site: SiteContext): AuthorityRequestActs {
  const find = async (id: string) => (await readAuthorityRequests(site.db, id))[0]
  return {
    async listAuthorityRequests({ issuer }) {
      const views = (await readAuthorityRequests(site.db)).map((stored) => viewOf(site, stored))
      return { items: views.flatMap((view) => seenBy(view, issuer)) }
    },
    async recordAuthorityRequest(facts) {
      refuseIf('record the request', requestProblems(site, facts))
      const id = site.ids.next('authority')
      const now = site.clock.now()
      await site.db.transaction().execute(async (tx) => {
        await insertAuthorityRequest(tx, { id, facts, now })
        await issue(site, tx, { recorded: id, facts: wireRequest(facts) })
      })
      await site.log.publish()
      return viewOf(site, { id, facts, recordedAt: now })
    },
    async decideAuthorityRequest({ request, decision }) {
      const known = await find(request)
      if (!known) return undefined
      refuseIf('decide so', decisionProblems(known.facts, decision))
      await site.db.transaction().execute(async (tx) => {
        const isNew = await insertAuthorityDecision(tx, { request, decision, now: site.clock.now() })
        if (!isNew) throw new Fault('fault.conflict', { what: 'Cannot decide on it: it was decided before' })
        await issue(site, tx, { decided: request, decision: { ...decision } })
      })
      await site.log.publish()
      const decided = await find(request)
      return decided && viewOf(site, decided)
    },
  }
}

/** A receipt over what was said; it names no data set, because its holder may not know yet. */
async function issue({ log }: SiteContext, tx: DatabaseTransaction, said: unknown): Promise<void> {
  await log.issue(tx, [{ kind: 'request', policy: digestOfJson(said) }])
}

function requestProblems(
  { manifests, clock }: SiteContext,
  { country, dataSets, receivedAt, secrecy }: AuthorityRequest,
): FieldProblem[] {
  const now = clock.now()
  const named = dataSets === 'all' ? [] : dataSets
  return [
    ...(isInEea(country, formatDate(now))
      ? [{ field: 'country', expected: 'expected a third country: within the EEA its own law applies' }]
      : []),
    ...(receivedAt > now ? [{ field: 'receivedAt', expected: 'expected a time that has passed' }] : []),
    ...named.flatMap((dataSet, index) =>
      manifests().has(dataSet)
        ? []
        : [{ field: `dataSets[${index}]`, expected: 'expected a data set of this site' }],
    ),
    ...(secrecy !== undefined && secrecy.until <= now
      ? [{ field: 'secrecy.until', expected: 'expected a time that lies ahead' }]
      : []),
  ]
}

function refuseIf(act: string, errors: readonly FieldProblem[]): void {
  if (errors.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot ${act}: ${describeProblems(errors)}`,
    errors: [...errors],
  })
}

function viewOf(
  site: SiteContext,
  { id, facts, recordedAt, decided }: StoredAuthorityRequest,
): AuthorityRequestView {
  const now = site.clock.now()
  const seesSince = seenSince({ facts, recordedAt }, now)
  return {
    request: id,
    ...wireRequest(facts),
    recordedAt: formatInstant(recordedAt),
    state: decided?.decision.decision ?? (isOverdue(facts, now) ? 'overdue' : 'open'),
    ...(decided && { decision: decided.decision, decidedAt: formatInstant(decided.at) }),
    holders: holdersOf(site, facts).map((issuer) => ({
      issuer,
      ...(seesSince === undefined ? {} : { seesSince: formatInstant(seesSince) }),
    })),
  }
}

/** From when on the holders see a request; nothing while it may not be told. */
function seenSince(
  { facts: { secrecy }, recordedAt }: Pick<StoredAuthorityRequest, 'facts' | 'recordedAt'>,
  now: Instant,
): Instant | undefined {
  if (secrecy === undefined) return recordedAt
  return secrecy.until <= now ? secrecy.until : undefined
}

function isOverdue({ answerBy }: AuthorityRequest, now: Instant): boolean {
  return answerBy !== undefined && answerBy < formatDate(now)
}

/** The issuers of the data sets that a request is about. */
function holdersOf({ manifests }: SiteContext, { dataSets }: AuthorityRequest) {
  const concerned = [...manifests().values()].filter(
    ({ dataSet }) => dataSets === 'all' || dataSets.includes(dataSet),
  )
  return [...new Set(concerned.map(({ issuer }) => issuer))].toSorted()
}

/** What an issuer sees: nothing that is not about its data, or not to be told yet; and no other holder. */
function seenBy(view: AuthorityRequestView, issuer: string | undefined): AuthorityRequestView[] {
  if (issuer === undefined) return [view]
  const own = view.holders.filter((holder) => holder.issuer === issuer && holder.seesSince !== undefined)
  return own.length === 0 ? [] : [{ ...view, holders: own }]
}
