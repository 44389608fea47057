import { formatInstant } from '../../kernel/clock.ts'
import type {
  ContractRequest,
  ContractView,
  CustodyEnd,
  MissingContract,
} from '../../protocol/law/processing-contract.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import type { SiteContext } from '../site-context.ts'
import { confirmContract, endContract, recordContract } from './change-contracts.ts'
import { custodyEnds, dueNow } from './custody-end.ts'
import { contractState, missingContracts } from './contract-in-force.ts'
import { wireContract } from './contract-store.ts'
import type { StoredContract } from './contract-store.ts'

/** Contracts of processing as the officer sees them. `issuer`: only those of that controller. */
export interface ContractActs {
  listContracts(scope: {
    issuer?: string | undefined
  }): Promise<{ items: ContractView[]; missing: MissingContract[]; ended: CustodyEnd[] }>
  recordContract(request: ContractRequest, change: ChangeFacts): Promise<ContractView>
  /** `undefined` when there is none, or none in the scope. */
  confirmContract(
    request: { issuer?: string | undefined; contract: string },
    change: ChangeFacts,
  ): Promise<ContractView | undefined>
  /** `undefined` as above. */
  endContract(
    request: { issuer?: string | undefined; contract: string; reason: string },
    change: ChangeFacts,
  ): Promise<ContractView | undefined>
}

export function contractActs(site: SiteContext): ContractActs {
  const isOf = (controller: string, issuer: string | undefined) =>
    issuer === undefined || issuer === controller
  return {
    async listContracts({ issuer }) {
      const own = [...site.manifests().values()].filter((manifest) => isOf(manifest.issuer, issuer))
      return {
        items: site.contracts
          .list()
          .filter(({ facts }) => isOf(facts.controller, issuer))
          .map((contract) => contractView(site, contract)),
        missing: await dueNow(site, missingContracts(site, own, site.clock.now())),
        ended: await custodyEnds(site, { issuer }),
      }
    },
    async recordContract(request, change) {
      const recorded = await recordContract(site, request, change)
      await site.log.publish()
      return contractView(site, recorded)
    },
    async confirmContract({ issuer, contract }, change) {
      const known = site.contracts.find(contract)
      if (!known || !isOf(known.facts.controller, issuer)) return undefined
      const confirmed = await confirmContract(site, contract, change)
      await site.log.publish()
      return confirmed && contractView(site, confirmed)
    },
    async endContract({ issuer, contract, reason }, change) {
      const known = site.contracts.find(contract)
      if (!known || !isOf(known.facts.controller, issuer)) return undefined
      await endContract(site, { contract, reason }, change)
      await site.log.publish()
      return contractView(site, site.contracts.find(contract) ?? known)
    },
  }
}

function contractView(
  { custodian, clock }: Pick<SiteContext, 'custodian' | 'clock'>,
  contract: StoredContract,
): ContractView {
  const { id, facts, recordedAt, recordedBy, confirmed, end } = contract
  const view = {
    contract: id,
    processor: custodian,
    recordedAt: formatInstant(recordedAt),
    recordedBy,
    ...(confirmed && { confirmedAt: formatInstant(confirmed.at), confirmedBy: confirmed.by }),
    ...(end === undefined ? {} : { endedAt: formatInstant(end.at), endReason: end.reason }),
    state: contractState(contract, clock.now()),
    ...wireContract(facts),
  }
  return view
}
