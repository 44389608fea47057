import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { retentionClocks } from '../../protocol/retention.ts'
import { stepOf } from '../../protocol/tariff.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { importTurn } from '../datasets/import-batch.ts'
import type { HiddenPeople } from '../rights/hidden-people.ts'
import type { Vault } from '../vault/vault.ts'
import {
  beginSweep,
  begunSweeps,
  saveSweepDone,
  saveSweepReceipt,
  saveSweepsPermanent,
} from './sweep-store.ts'
import type { NewSweep, SweepRecord } from './sweep-store.ts'

/** What sweeping needs of a site. */
export interface SweepParts {
  readonly db: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly log: ReceiptLog
  readonly hidden: HiddenPeople
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
}

/**
 * Deletes whatever has reached the end of its retention (GDPR Art. 5(1)(e)), but what is held for its person: rows of
 * data sets, values of columns. Each deletion is a receipt, and the vault is written anew without it. What has ended was
 * read by nobody before either. Gives the rows that were changed; an import waits its turn.
 */
export async function sweepRetention(parts: SweepParts): Promise<number> {
  return importTurn(parts.vault).run(async () => {
    let rows = 0
    for (const sweep of await begunSweeps(parts.db)) rows += await finishSweep(parts, sweep)
    for (const due of await dueSweeps(parts)) {
      const begun = await beginSweep(parts.db, due)
      rows += await finishSweep(parts, begun)
    }
    if (rows > 0) {
      const until = parts.clock.now()
      await parts.vault.compact()
      await saveSweepsPermanent(parts.db, { until, now: parts.clock.now() })
      await parts.log.publish()
    }
    return rows
  })
}

/** What has ended and is still there. */
async function dueSweeps({ vault, manifests, clock, hidden }: SweepParts): Promise<readonly NewSweep[]> {
  const now = clock.now()
  const keep = [...(await vault.households()).numbersOfAny(hidden.heldAt(now))]
  const due: NewSweep[] = []
  for (const manifest of manifests().values()) {
    const { dataSet, issuer } = manifest
    for (const { scope, name, columns, endsAt } of retentionClocks(manifest)) {
      if (endsAt > now || scope === 'purpose') continue
      const rows = await vault.countExpiring({ dataSet, columns, keep })
      if (rows > 0)
        due.push({
          dataSet,
          issuer,
          category: scope === 'all' ? undefined : name,
          columns,
          rows,
          begunAt: now,
        })
    }
  }
  return due
}

async function finishSweep(parts: SweepParts, sweep: SweepRecord): Promise<number> {
  const { id, dataSet, category, columns } = sweep
  const manifest = parts.manifests().get(dataSet)
  const now = parts.clock.now()
  // The terms may have changed since it was noted: what has not ended by those of now stays.
  const isEnded =
    manifest !== undefined &&
    retentionClocks(manifest).some(
      ({ scope, name, endsAt }) =>
        scope !== 'purpose' && (scope === 'all' ? undefined : name) === category && endsAt <= now,
    )
  if (isEnded) {
    const households = await parts.vault.households()
    const keep = [...households.numbersOfAny(parts.hidden.heldAt(now))]
    await parts.vault.expire({ dataSet, columns, keep })
  }
  await parts.db.transaction().execute(async (tx) => {
    if (!(await saveSweepDone(tx, { id, now: parts.clock.now() })) || !isEnded) return
    const [receipt] = await parts.log.issue(tx, [
      {
        kind: 'retention',
        dataSet,
        rowsStep: stepOf(sweep.rows),
        ...(category === undefined ? {} : { category }),
      },
    ])
    if (receipt) await saveSweepReceipt(tx, { id, receipt: receipt.sequence })
  })
  return isEnded ? sweep.rows : 0
}
