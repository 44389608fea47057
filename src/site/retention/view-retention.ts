import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { keptRows, periodEnd, retentionClocks } from '../../protocol/law/retention.ts'
import type { retentionViewSchema } from '../../protocol/http/retention-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { listRetentionErasures } from '../rights/erasure-store.ts'
import { listSweeps } from './sweep-store.ts'
import type { SweepParts } from './sweep-retention.ts'

type RetentionView = z.input<typeof retentionViewSchema>

/** Sweeps that are shown: years of them. */
const SWEEPS_SHOWN = 1_000

/** What ends when, and what was deleted because it had ended; of one issuer, or of all. */
export async function viewRetention(parts: SweepParts, issuer: MemberId | undefined): Promise<RetentionView> {
  const now = parts.clock.now()
  const keep = [...parts.hidden.heldAt(now)]
  const manifests = [...parts.manifests().values()].filter(
    (manifest) => issuer === undefined || manifest.issuer === issuer,
  )
  const clocks: Clock[] = []
  for (const manifest of manifests)
    clocks.push(
      ...(await clocksOf(manifest, { parts, now, keep })),
      ...(await rowClock(manifest, { parts, now, keep })),
    )
  const sweeps = (await listSweeps(parts.db, SWEEPS_SHOWN)).filter(
    (sweep) => issuer === undefined || sweep.issuer === issuer,
  )
  const erasures = await listRetentionErasures(parts.db, { limit: SWEEPS_SHOWN, issuer })
  return {
    held: keep.length,
    erasures: erasures.map(({ erasure, issuer: of, many, state, deletedAt }) => ({
      erasure,
      issuer: of,
      people: many?.count ?? 1,
      state,
      ...(deletedAt === undefined ? {} : { deletedAt: formatInstant(deletedAt) }),
    })),
    clocks: clocks.toSorted((left, right) => (left.endsAt < right.endsAt ? -1 : 1)),
    sweeps: sweeps.map(({ dataSet, category, columns, kept, rows, doneAt, permanentAt, receipt }) => ({
      dataSet,
      ...(category === undefined ? {} : { category }),
      ...(columns === undefined ? {} : { columns: [...columns] }),
      ...(kept === undefined ? {} : { keptFrom: kept.from }),
      rows,
      ...(doneAt === undefined ? {} : { doneAt: formatInstant(doneAt) }),
      ...(permanentAt === undefined ? {} : { permanentAt: formatInstant(permanentAt) }),
      ...(receipt === undefined ? {} : { receipt }),
    })),
  }
}

type Clock = RetentionView['clocks'][number]

interface ClockFacts {
  readonly parts: SweepParts
  readonly now: Instant
  readonly keep: readonly number[]
}

/** What ends at one moment for all rows. */
async function clocksOf(manifest: Manifest, { parts, now, keep }: ClockFacts): Promise<readonly Clock[]> {
  const { dataSet } = manifest
  const clocks: Clock[] = []
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
  return clocks
}

/** What ends row by row: which rows are kept, and when the next ones end. */
async function rowClock(manifest: Manifest, { parts, now, keep }: ClockFacts): Promise<readonly Clock[]> {
  const { dataSet, retention } = manifest
  const kept = keptRows(manifest, now)
  if (!kept || !retention.rows) return []
  const left = await parts.vault.countExpiring({ dataSet, kept, keep })
  return [
    {
      dataSet,
      scope: 'row',
      name: kept.column,
      keptFrom: kept.from,
      endsAt: formatInstant(periodEnd({ from: kept.from, period: retention.rows.period })),
      state: left > 0 ? 'ended' : 'in_force',
    },
  ]
}
