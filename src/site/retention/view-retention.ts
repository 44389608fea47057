import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import { retentionClocks } from '../../protocol/retention.ts'
import type { retentionViewSchema } from '../../protocol/retention-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { listSweeps } from './sweep-store.ts'
import type { SweepParts } from './sweep-retention.ts'

type RetentionView = z.input<typeof retentionViewSchema>

/** Sweeps that are shown: years of them. */
const SWEEPS_SHOWN = 1_000

/** What ends when, and what was deleted because it had ended; of one issuer, or of all. */
export async function viewRetention(parts: SweepParts, issuer: MemberId | undefined): Promise<RetentionView> {
  const now = parts.clock.now()
  const keep = [...parts.hidden.heldAt(now)]
  const clocks: RetentionView['clocks'][number][] = []
  for (const manifest of parts.manifests().values()) {
    if (issuer !== undefined && manifest.issuer !== issuer) continue
    const { dataSet } = manifest
    for (const { scope, name, columns, endsAt } of retentionClocks(manifest)) {
      const isOver = endsAt <= now
      const left =
        isOver && scope !== 'purpose' ? await parts.vault.countExpiring({ dataSet, columns, keep }) : 0
      clocks.push({
        dataSet,
        scope,
        ...(name === undefined ? {} : { name }),
        ...(columns === undefined ? {} : { columns: [...columns] }),
        endsAt: formatInstant(endsAt),
        state: !isOver ? 'in_force' : left > 0 ? 'ended' : 'swept',
      })
    }
  }
  const sweeps = (await listSweeps(parts.db, SWEEPS_SHOWN)).filter(
    (sweep) => issuer === undefined || sweep.issuer === issuer,
  )
  return {
    held: keep.length,
    clocks: clocks.toSorted((left, right) => (left.endsAt < right.endsAt ? -1 : 1)),
    sweeps: sweeps.map(({ dataSet, category, columns, rows, doneAt, permanentAt, receipt }) => ({
      dataSet,
      ...(category === undefined ? {} : { category }),
      ...(columns === undefined ? {} : { columns: [...columns] }),
      rows,
      ...(doneAt === undefined ? {} : { doneAt: formatInstant(doneAt) }),
      ...(permanentAt === undefined ? {} : { permanentAt: formatInstant(permanentAt) }),
      ...(receipt === undefined ? {} : { receipt }),
    })),
  }
}
