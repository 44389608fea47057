import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { describeProblems } from '../../kernel/parse.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ContractFacts, ContractRequest } from '../../protocol/law/processing-contract.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { ChangeFacts, ConsentContext } from '../consent/change-grants.ts'
import type { SiteContext } from '../site-context.ts'
import { covers } from './contract-in-force.ts'
import {
  insertConfirmation,
  insertContract,
  insertContractEnd,
  isAgreed,
  wireContract,
} from './contract-store.ts'
import type { StoredContract } from './contract-store.ts'
import { expectedBasis, isBarred, transfersNow } from './sub-processor-ground.ts'
import type { SubProcessorPlace, TransfersNow } from './sub-processor-ground.ts'

/** One change after the other: two at once would each find no contract of the same reference. */
const turn = new Mutex()

type ContractSite = Pick<
  SiteContext,
  'consent' | 'contracts' | 'dataSets' | 'ids' | 'clock' | 'transferRemovals'
>

/**
 * Records a contract, with a receipt. Asks may run under what its controller records when this resolves, and it takes the place of what
 * there was of the same controller and reference. What the custodian records waits for the controller (`confirmContract`), and what there
 * was stands until then. The same again changes nothing; said by the other party it is its confirmation.
 *
 * @throws Fault `fault.request_malformed` that names each wrong field
 */
export async function recordContract(
  site: ContractSite,
  request: ContractRequest,
  change: ChangeFacts,
): Promise<StoredContract> {
  return turn.run(async () => {
    requireSound(site, request)
    const before = openOf(site, request)
    const same = before.findLast(({ facts }) => saysTheSame(facts, request))
    if (same) return isOwnWord(same, change) ? same : confirm(site, same, change)
    const id = site.ids.next('contract')
    const facts: ContractFacts = { ...request, validFrom: request.validFrom ?? site.clock.now() }
    const isController = change.by === `issuer:${request.controller}`
    const replaced = before.filter((contract) => isController || !isAgreed(contract))
    await writeChange(site, change, {
      body: { recordContract: request },
      ends: replaced.map((contract) => ({ contract, reason: `Replaced by ${id}` })),
      first: async (tx, now) => {
        await insertContract(tx, { id, facts, now, by: change.by })
        await issue(tx, site.consent, { recorded: id, facts: wireContract(facts) })
      },
    })
    return recorded(site, id)
  })
}

/**
 * The other party says that a contract stands, with a receipt; what it takes the place of ends with it. Said again it changes nothing.
 * `undefined` when there is none.
 *
 * @throws Fault `fault.conflict` from the party that recorded it, and for one that has ended
 */
export async function confirmContract(
  site: ContractSite,
  id: string,
  change: ChangeFacts,
): Promise<StoredContract | undefined> {
  return turn.run(async () => {
    const contract = site.contracts.find(id)
    if (!contract) return undefined
    if (contract.end !== undefined)
      throw new Fault('fault.conflict', { what: 'Cannot confirm the contract: it has ended' })
    if (contract.recordedBy === change.by)
      throw new Fault('fault.conflict', { what: 'Cannot confirm the contract: it takes the other party' })
    return confirm(site, contract, change)
  })
}

async function confirm(
  site: ContractSite,
  contract: StoredContract,
  change: ChangeFacts,
): Promise<StoredContract> {
  if (contract.confirmed !== undefined) return contract
  const { id, facts } = contract
  // What the custodian only proposed took nobody's place yet.
  const replaced = isAgreed(contract) ? [] : openOf(site, facts).filter((other) => other.id !== id)
  await writeChange(site, change, {
    body: { confirmContract: id },
    ends: replaced.map((other) => ({ contract: other, reason: `Replaced by ${id}` })),
    first: async (tx, now) => {
      await insertConfirmation(tx, { contract: id, now, by: change.by })
      await issue(tx, site.consent, { confirmed: id })
    },
  })
  return recorded(site, id)
}

/** What of a controller and reference has not ended, confirmed or not. */
function openOf(
  { contracts }: ContractSite,
  { controller, reference }: Pick<ContractFacts, 'controller' | 'reference'>,
): readonly StoredContract[] {
  return contracts
    .list()
    .filter(
      ({ facts, end }) =>
        end === undefined && facts.controller === controller && facts.reference === reference,
    )
}

function isOwnWord({ recordedBy, confirmed }: StoredContract, { by }: ChangeFacts): boolean {
  return recordedBy === by || confirmed?.by === by
}

function recorded({ contracts }: ContractSite, id: string): StoredContract {
  const contract = contracts.find(id)
  if (!contract) throw new TypeError('A contract that was just recorded is not there')
  return contract
}

/** Ends a contract: nothing runs under it from the moment this resolves, runs under way included. One that has ended stays so. */
export async function endContract(
  site: ContractSite,
  { contract: id, reason }: { contract: string; reason: string },
  change: ChangeFacts,
): Promise<void> {
  await turn.run(async () => {
    const contract = site.contracts.find(id)
    if (!contract || contract.end !== undefined) return
    await writeChange(site, change, { body: { endContract: id, reason }, ends: [{ contract, reason }] })
  })
}

/** What a change does: what comes first in it, and which contracts end. */
interface ContractChange {
  readonly body: unknown
  readonly first?: (tx: DatabaseTransaction, now: Instant) => Promise<void>
  readonly ends: readonly { readonly contract: StoredContract; readonly reason: string }[]
}

/** One transaction in the sequence of consent, so that what runs under a contract that ends is computed anew, and then declined. */
async function writeChange(
  site: ContractSite,
  change: ChangeFacts,
  { body, first, ends }: ContractChange,
): Promise<void> {
  const ending = ends.map(({ contract }) => contract.id)
  const ended = site
    .dataSets()
    .filter(({ manifest }) => ends.some(({ contract }) => covers(contract, manifest)))
  await site.contracts.ending(ending, () =>
    changeGrants(site.consent, {
      body,
      facts: change,
      act: async (tx, { last, now }) => {
        await first?.(tx, now)
        for (const [index, { contract, reason }] of ends.entries()) {
          const end = { contract: contract.id, sequence: last + 1 + index, reason, now, by: change.by }
          await insertContractEnd(tx, end)
          await issue(tx, site.consent, { ended: contract.id })
        }
        const dataSets = ended.map(({ manifest }) => manifest.dataSet)
        const bases = ends.length > 0 ? [{ what: 'contract_ended', dataSets } as const] : []
        return {
          change: { sequence: last + ends.length, newTerms: [], given: [], revoked: [], bases },
          unchanged: 0,
        }
      },
    }),
  )
}

/** A receipt of the kind `policy` over what was said; it is about a controller's data sets as they are and will be. */
async function issue(
  tx: DatabaseTransaction,
  { receipts }: Pick<ConsentContext, 'receipts'>,
  said: unknown,
): Promise<void> {
  await receipts.issue(tx, [{ kind: 'policy', policy: digestOfJson(said) }])
}

function saysTheSame(kept: ContractFacts, request: ContractRequest): boolean {
  return isDeepStrictEqual(kept, { ...request, validFrom: request.validFrom ?? kept.validFrom })
}

function requireSound(site: ContractSite, request: ContractRequest): void {
  const { controller, validFrom, validUntil } = request
  const own = new Set(
    site.dataSets().flatMap(({ manifest }) => (manifest.issuer === controller ? [manifest.dataSet] : [])),
  )
  const named = request.dataSets === 'all' ? [] : request.dataSets
  const errors = [
    ...named.flatMap((dataSet, index) =>
      own.has(dataSet)
        ? []
        : [{ field: `dataSets[${index}]`, expected: `expected a data set of "${controller}" at this site` }],
    ),
    ...(validFrom !== undefined && validUntil !== undefined && validUntil <= validFrom
      ? [{ field: 'validUntil', expected: 'expected a time after validFrom' }]
      : []),
    ...(request.kind === 'processing' ? barredIn(request.subProcessors, transfersNow(site)) : []),
  ]
  if (errors.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot record the contract: ${describeProblems(errors)}`,
    errors,
  })
}

/** No contract is recorded with a sub-processor to whom nothing may go (GDPR Art. 28(3)(a), 44). */
function barredIn(subProcessors: readonly SubProcessorPlace[], now: TransfersNow) {
  return subProcessors.flatMap((one, index) =>
    isBarred(one, now)
      ? [{ field: `subProcessors[${index}].transferBasis`, expected: expectedBasis(one, now) }]
      : [],
  )
}
