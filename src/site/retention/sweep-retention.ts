import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { keptRows, retentionClocks } from '../../protocol/law/retention.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import { importTurn } from '../datasets/import-batch.ts'
import type { ErasureParts } from '../rights/erasure-request.ts'
import { eraseWithoutRows } from './erase-without-rows.ts'
import type { RowEnds } from './row-ends.ts'
import {
  beginSweep,
  hasDeleted,
  begunSweeps,
  saveSweepDone,
  saveSweepReceipt,
  saveSweepsPermanent,
} from './sweep-store.ts'
import type { NewSweep, SweepRecord } from './sweep-store.ts'

/** What sweeping needs of a site. */
export interface SweepParts extends ErasureParts {
  readonly rowEnds: Pick<RowEnds, 'upTo'>
}

/** Rows that were deleted or changed, and people who are not known any more. */
export interface Swept {
  readonly rows: number
  readonly people: number
}

/**
 * Deletes whatever has reached the end of its retention (GDPR Art. 5(1)(e)), but what is held for its person: rows of
 * data sets, values of columns. Each deletion is a receipt, and the vault is written anew without it. What has ended was
 * read by nobody before either. Whoever has no row left is erased where nothing of theirs still counts; people whose rows went before are
 * looked through `isThorough` only. An import waits its turn, which it has between two pages of people too.
 */
export async function sweepRetention(
  parts: SweepParts,
  { isThorough = true }: { readonly isThorough?: boolean } = {},
): Promise<Swept> {
  const turn = importTurn(parts.vault)
  const rows = await turn.run(() => sweepRows(parts))
  const people = rows > 0 || isThorough ? await eraseWithoutRows(parts) : 0
  await turn.run(async () => {
    // Also of a sweep before this one that was cut off between deleting and writing anew.
    if (rows === 0 && people === 0 && !(await hasDeleted(parts.db))) return
    const until = parts.clock.now()
    await parts.vault.compact()
    await saveSweepsPermanent(parts.db, { until, now: parts.clock.now() })
    await parts.log.publish()
  })
  return { rows, people }
}

async function sweepRows(parts: SweepParts): Promise<number> {
  let rows = 0
  for (const sweep of await begunSweeps(parts.db)) rows += await finishSweep(parts, sweep)
  for (const due of await dueSweeps(parts)) {
    const begun = await beginSweep(parts.db, due)
    rows += await finishSweep(parts, begun)
  }
  return rows
}

/** What has ended and is still there. */
async function dueSweeps({ vault, manifests, clock, hidden }: SweepParts): Promise<readonly NewSweep[]> {
  const now = clock.now()
  const keep = [...(await vault.households()).numbersOfAny(hidden.heldAt(now))]
  const due: NewSweep[] = []
  for (const manifest of manifests().values()) {
    const { dataSet, issuer } = manifest
    for (const ended of endedParts(manifest, now)) {
      const rows = await vault.countExpiring({ dataSet, ...ended, keep })
      if (rows > 0) due.push({ dataSet, issuer, ...ended, rows, begunAt: now })
    }
  }
  return due
}

/** What of a data set has ended: all of it, columns of a category, or rows by their date. */
type EndedPart = Pick<NewSweep, 'category' | 'columns' | 'kept'>

/** The parts of a data set that have ended, whether or not anything of them is left. */
function endedParts(manifest: Manifest, now: Instant): readonly EndedPart[] {
  const ended = retentionClocks(manifest)
    .filter(({ scope, endsAt }) => endsAt <= now && scope !== 'purpose')
    .map(({ scope, name, columns }) => ({
      category: scope === 'all' ? undefined : name,
      columns,
      kept: undefined,
    }))
  const kept = keptRows(manifest, now)
  return kept ? [...ended, { category: undefined, columns: undefined, kept }] : ended
}

async function finishSweep(parts: SweepParts, sweep: SweepRecord): Promise<number> {
  const { id, dataSet, category } = sweep
  const manifest = parts.manifests().get(dataSet)
  const now = parts.clock.now()
  // The terms may have changed since it was noted: what has not ended by those of now stays.
  const ended =
    manifest &&
    endedParts(manifest, now).find(
      (part) => part.category === category && part.kept?.column === sweep.kept?.column,
    )
  if (manifest && ended) {
    // What a run may still read is not taken away under it: first the guard is told of the day.
    await parts.rowEnds.upTo([manifest], now)
    const households = await parts.vault.households()
    const keep = [...households.numbersOfAny(parts.hidden.heldAt(now))]
    await parts.vault.expire({ dataSet, columns: ended.columns, kept: ended.kept, keep })
  }
  await parts.db.transaction().execute(async (tx) => {
    if (!(await saveSweepDone(tx, { id, now: parts.clock.now() })) || !ended) return
    const [receipt] = await parts.log.issue(tx, [
      {
        kind: 'retention',
        dataSet,
        rowsStep: stepOf(sweep.rows),
        ...(category === undefined ? {} : { category }),
        ...(ended.kept === undefined ? {} : { keptFrom: ended.kept.from }),
      },
    ])
    if (receipt) await saveSweepReceipt(tx, { id, receipt: receipt.sequence })
  })
  return ended ? sweep.rows : 0
}
