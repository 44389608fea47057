import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import type { Receipt } from '../../protocol/proof/receipt.ts'
import { insertHolds } from '../guard/guard-holds.ts'
import { MICRO, gaussianLoss, pureLoss } from '../privacy/privacy-loss.ts'
import type { PrivacyLoss } from '../privacy/privacy-loss.ts'
import { appendSpend } from '../privacy/privacy-spends.ts'
import type { SiteContext } from '../site-context.ts'

/** What was told after the backup, as far as the site takes it into account. */
export interface AccountedAnswers {
  /** Acquirers, or groups of them, that get nothing exact until somebody answers for it. */
  readonly held: readonly string[]
  /** Noisy answers whose loss was debited anew. */
  readonly debited: number
}

/**
 * Takes into account what the lost site told after the backup. What exact answers were made of is lost with the guard's
 * partitions: whoever got one is held. Noisy ones say in their receipts what they cost, not whom: everybody who may have
 * been in them, which is everybody, is debited, and so are the acquirer's accounts of all data sets.
 */
export async function accountForAnswers(
  site: SiteContext,
  { receipts, backup }: { receipts: readonly Receipt[]; backup: string },
): Promise<AccountedAnswers> {
  // An ask that was approved, or a dry run that counts as one; declines tell one bit, and are bounded by themselves.
  const told = receipts.filter(({ kind, acquirer }) => kind === 'ask' && acquirer !== undefined)
  const groups = new Map<string, string>()
  for (const { acquirer = '' } of told) groups.set(acquirer, await site.groups.groupOf({ id: acquirer }))
  const groupOf = ({ acquirer = '' }: Receipt): string => groups.get(acquirer) ?? acquirer
  const exact = told.filter(({ mode }) => mode !== 'private')
  const held = [...new Set(exact.map(groupOf))].toSorted()
  const noisy = told.filter(({ mode, epsilon }) => mode === 'private' && epsilon !== undefined)
  const everybody = Bitset.of(Array.from({ length: await site.vault.personCount() }, (_, person) => person))
  const people = packBitset(everybody)
  const dataSets = [...site.manifests().keys()].toSorted()
  await site.db.transaction().execute(async (tx) => {
    await insertHolds(tx, { groups: held, backup, now: site.clock.now() })
    for (const receipt of noisy) {
      const [period, acquirer] = [formatInstant(receipt.time).slice(0, 4), groupOf(receipt)]
      const loss = lossOf(receipt.epsilon ?? 0)
      await appendSpend(tx, { period, acquirer, ask: receipt.askId ?? '', dataSets, loss, people })
      await sql`
        insert into privacy_account as account (period, acquirer, data_set, epsilon_micro, rho_nano)
        select ${period}, ${acquirer}, name, ${loss.epsilonMicro}::bigint, ${loss.rhoNano}::bigint
        from unnest(${dataSets}::text[]) as debited (name)
        on conflict (period, acquirer, data_set) do update
        set epsilon_micro = account.epsilon_micro + excluded.epsilon_micro,
          rho_nano = account.rho_nano + excluded.rho_nano`.execute(tx)
    }
  })
  return { held, debited: noisy.length }
}

/** The larger of what the two kinds of noise count with; the receipt does not say which it was. */
function lossOf(epsilon: number): PrivacyLoss {
  const epsilonMicro = Math.ceil(epsilon * MICRO)
  const rhoNano = Math.max(pureLoss(epsilonMicro).rhoNano, gaussianLoss(epsilonMicro).rhoNano)
  return { epsilonMicro, rhoNano }
}
