import { formatDate, formatInstant, later } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type {
  SubProcessorAnswer,
  SubProcessorFacts,
  SubProcessorRequest,
  SubProcessorView,
} from '../../protocol/law/sub-processor.ts'
import type { SiteContext } from '../site-context.ts'
import type { StoredContract } from './contract-store.ts'
import { expectedBasis, isBarred, transfersNow } from './sub-processor-ground.ts'
import type { TransfersNow } from './sub-processor-ground.ts'
import { isSamePaper, subProcessorState, withSubProcessors } from './sub-processor-state.ts'
import { insertSubProcessor, insertSubProcessorAnswer, readSubProcessors } from './sub-processor-store.ts'
import type { StoredSubProcessor } from './sub-processor-store.ts'

/** Other processors as the officer works with them (GDPR Art. 28(2)). `issuer`: only those under contracts of that controller. */
export interface SubProcessorActs {
  listSubProcessors(scope: { issuer?: string | undefined }): Promise<{ items: SubProcessorView[] }>
  announceSubProcessor(request: SubProcessorRequest): Promise<SubProcessorView>
  /** `undefined` when there is none, or none in the scope. */
  answerSubProcessor(request: {
    issuer?: string | undefined
    change: string
    answer: SubProcessorAnswer
    reason?: string | undefined
    by: string
  }): Promise<SubProcessorView | undefined>
}

type SubProcessorSite = Pick<
  SiteContext,
  'db' | 'contracts' | 'consent' | 'ids' | 'clock' | 'log' | 'transferRemovals'
>

export function subProcessorActs(site: SubProcessorSite): SubProcessorActs {
  return {
    async listSubProcessors({ issuer }) {
      const views = (await readSubProcessors(site.db)).map((stored) => viewOf(site, stored))
      return { items: views.filter(({ controller }) => issuer === undefined || controller === issuer) }
    },
    async announceSubProcessor({ contract: id, ...announced }) {
      const contract = requireProcessing(site, id)
      const { noticeDays } = contract.facts
      const facts: SubProcessorFacts = { ...announced, ...(noticeDays === undefined ? {} : { noticeDays }) }
      requireInTime(site, facts)
      requireGround(facts, transfersNow(site))
      const stored = { id: site.ids.next('change'), contract: id, facts, announcedAt: site.clock.now() }
      await site.db.transaction().execute(async (tx) => {
        await insertSubProcessor(tx, { ...stored, now: stored.announcedAt })
        await issue(site, tx, { announced: stored.id, contract: id, facts: { ...facts } })
      })
      await site.log.publish()
      return viewOf(site, stored)
    },
    async answerSubProcessor({ issuer, change, ...answer }) {
      const [known] = await readSubProcessors(site.db, change)
      const view = known && viewOf(site, known)
      if (!view || (issuer !== undefined && view.controller !== issuer)) return undefined
      await answerChange(site, known, answer)
      await site.log.publish()
      const [answered] = await readSubProcessors(site.db, change)
      return answered && viewOf(site, answered)
    },
  }
}

/**
 * Keeps the answer to a sub-processor, with a receipt; what was objected to or withdrawn stays out after a restore, too.
 *
 * @throws Fault `fault.conflict` where there is an answer, and for an objection after the day on which it came in
 */
export async function answerChange(
  site: Omit<SubProcessorSite, 'ids'>,
  known: StoredSubProcessor,
  { answer, reason, by }: { answer: SubProcessorAnswer; reason?: string | undefined; by: string },
): Promise<void> {
  const now = site.clock.now()
  if (known.answered)
    throw new Fault('fault.conflict', { what: `Cannot answer: it is ${known.answered.answer}` })
  if (answer === 'objected' && subProcessorState(known, transfersNow(site)) === 'in_use') {
    throw new Fault('fault.conflict', {
      what: `Cannot object: it came in on ${known.facts.from}, after the notice that the contract asks for; what is left is to end the contract`,
    })
  }
  await site.db.transaction().execute(async (tx) => {
    const isNew = await insertSubProcessorAnswer(tx, { change: known.id, answer, reason, now, by })
    if (!isNew) throw new Fault('fault.conflict', { what: 'Cannot answer: it was answered before' })
    await issue(site, tx, { change: known.id, answer })
  })
  if (answer !== 'approved') await site.consent.keepApart()
}

/** Contracts with the sub-processors that stand in registers and notices now. */
export async function contractsWithSubProcessors(
  site: Pick<SiteContext, 'db' | 'contracts' | 'clock' | 'transferRemovals'>,
  standing: readonly StoredContract[],
): Promise<readonly StoredContract[]> {
  const changes = (await readSubProcessors(site.db)).toReversed().flatMap((stored) => {
    const of = site.contracts.find(stored.contract)
    return of ? [{ stored, of }] : []
  })
  const now = transfersNow(site)
  return standing.map((contract) => withSubProcessors(contract, changes, now))
}

/** A receipt over what was said. */
async function issue(
  { log }: Pick<SiteContext, 'log'>,
  tx: DatabaseTransaction,
  said: Parameters<typeof digestOfJson>[0],
): Promise<void> {
  await log.issue(tx, [{ kind: 'policy', policy: digestOfJson(said) }])
}

const DAY_MS = 86_400_000

type Processing = StoredContract & { facts: Extract<StoredContract['facts'], { kind: 'processing' }> }

function requireProcessing({ contracts }: Pick<SiteContext, 'contracts'>, id: string): Processing {
  const contract = contracts.standing().find((one) => one.id === id)
  if (contract?.facts.kind === 'processing') return { ...contract, facts: contract.facts }
  throw new Fault('fault.request_malformed', {
    what: 'Cannot announce it: there is no such contract of processing in force',
    errors: [{ field: 'contract', expected: 'expected the id of a contract of processing that stands' }],
  })
}

function requireInTime(
  { clock }: Pick<SiteContext, 'clock'>,
  { from, noticeDays = 0 }: SubProcessorFacts,
): void {
  const earliest = formatDate(later(clock.now(), noticeDays * DAY_MS))
  if (from >= earliest) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot announce it: from has to be ${earliest} or later`,
    errors: [{ field: 'from', expected: `expected ${earliest} or later` }],
  })
}

/** Nobody is announced to whom nothing may go from its first day on (GDPR Art. 44). */
function requireGround(facts: SubProcessorFacts, now: TransfersNow): void {
  if (!isBarred(facts, now)) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot announce it: transferBasis: ${expectedBasis(facts, now)}`,
    errors: [{ field: 'transferBasis', expected: expectedBasis(facts, now) }],
  })
}

function viewOf(
  site: Pick<SiteContext, 'contracts' | 'clock' | 'transferRemovals'>,
  stored: StoredSubProcessor,
): SubProcessorView {
  const { contracts } = site
  const contract = contracts.find(stored.contract)
  if (!contract) throw new TypeError('A sub-processor was announced under a contract that is not there')
  const stands = contracts.standing().some((one) => isSamePaper(one, contract))
  const { controller, reference } = contract.facts
  const { answered } = stored
  return {
    change: stored.id,
    contract: stored.contract,
    reference,
    controller,
    ...stored.facts,
    announcedAt: formatInstant(stored.announcedAt),
    state: stands ? subProcessorState(stored, transfersNow(site)) : 'void',
    ...(answered && {
      ...(answered.reason === undefined ? {} : { reason: answered.reason }),
      answeredAt: formatInstant(answered.at),
      answeredBy: answered.by,
    }),
  }
}
