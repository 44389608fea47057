import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { PassedAsk } from './decided-ask.ts'
import type { KeptBatch } from './sent-ask.ts'

/** Asks that go into the database together. */
export interface AskGroup {
  readonly asks: readonly PassedAsk[]
  /** The batch that those with a place in one came in. */
  readonly batch: KeptBatch | undefined
}

/**
 * Holds and routes asks in one statement, all or none (`take_ask` and `take_asks`, migration 0013). False when one was
 * seen before, or an account does not cover what is due. Their ids must differ.
 */
export async function takeAsks(db: Database, group: AskGroup, at: Instant): Promise<boolean> {
  const [only, ...others] = group.asks
  if (!only) return true
  const isOne = others.length === 0 && group.batch === undefined
  const { rows } = await (isOne ? takeOne(only, at) : takeMany(group, at))
    .execute(db)
    .catch((error: unknown) => {
      if (isNotCovered(error)) return { rows: [{ taken: false }] }
      throw error
    })
  return rows[0]?.taken ?? false
}

function takeOne({ sent, holdMinor, legs }: PassedAsk, at: Instant) {
  const { ask, bodyDigest, sender, jws } = sent
  return sql<{
    taken: boolean
  }>`select take_ask(${formatInstant(at)}, ${ask.id}, ${ask.acquirer}, ${ask.idempotencyKey}, ${bodyDigest},
    ${sender}, ${ask.offer}, ${ask.purpose}, ${ask.mode}, ${ask.maxPrice.currency}, ${holdMinor}, ${ask.dryRun}, ${formatInstant(ask.expires)},
    ${jws}, ${legs.map(({ site }) => site)}, ${legs.map(({ offerRow }) => offerRow)}, ${legs.map(({ limitMinor }) => limitMinor)},
    ${legs.map(({ limitMinor }) => (ask.dryRun ? 0n : limitMinor))}) as taken`
}

function takeMany({ asks, batch }: AskGroup, at: Instant) {
  const column = <T>(of: (ask: PassedAsk) => T) => asks.map(of)
  const legs = asks.flatMap(({ sent: { ask }, legs: own }) =>
    own.map((leg) => ({ ...leg, ask: ask.id, holdMinor: ask.dryRun ? 0n : leg.limitMinor })),
  )
  const dues = duesOf(asks)
  return sql<{ taken: boolean }>`select take_asks(${formatInstant(at)},
    ${dues.map(({ owner }) => owner)}, ${dues.map(({ currency }) => currency)}, ${dues.map(({ totalMinor }) => totalMinor)},
    ${batch?.id}, ${batch?.digest}, ${batch?.processor}, ${batch?.jws},
    ${column(({ sent }) => sent.ask.id)}, ${column(({ sent }) => sent.ask.acquirer)}, ${column(({ sent }) => sent.ask.idempotencyKey)},
    ${column(({ sent }) => sent.bodyDigest)}, ${column(({ sent }) => sent.sender)}, ${column(({ sent }) => sent.ask.offer)},
    ${column(({ sent }) => sent.ask.purpose)}, ${column(({ sent }) => sent.ask.mode)}, ${column(({ sent }) => sent.ask.maxPrice.currency)},
    ${column(({ holdMinor }) => holdMinor)}, ${column(({ sent }) => sent.ask.dryRun)}, ${column(({ sent }) => formatInstant(sent.ask.expires))},
    ${column(({ sent }) => sent.jws)}, ${column(({ sent }) => sent.batch?.index)},
    ${legs.map(({ ask }) => ask)}, ${legs.map(({ site }) => site)}, ${legs.map(({ offerRow }) => offerRow)},
    ${legs.map(({ limitMinor }) => limitMinor)}, ${legs.map(({ holdMinor }) => holdMinor)}) as taken`
}

interface Due {
  readonly owner: string
  readonly currency: string
  totalMinor: bigint
}

/** What is due from each acquirer and currency. */
function duesOf(asks: readonly PassedAsk[]): readonly Due[] {
  const dues = new Map<string, Due>()
  for (const { sent, holdMinor } of asks) {
    if (holdMinor === 0n) continue
    const { acquirer, maxPrice } = sent.ask
    const name = `${acquirer} ${maxPrice.currency}`
    const due = dues.get(name) ?? { owner: acquirer, currency: maxPrice.currency, totalMinor: 0n }
    due.totalMinor += holdMinor
    dues.set(name, due)
  }
  return [...dues.values()]
}

function isNotCovered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HG002'
}
