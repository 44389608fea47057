import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { arrayLiteral, bytesArrayLiteral } from './array-literal.ts'
import type { PassedAsk } from './decided-ask.ts'
import type { KeptBatch } from './sent-ask.ts'

/** Asks that go into the database together. */
export interface AskGroup {
  readonly asks: readonly PassedAsk[]
  /** The batch that those with a place in one came in. */
  readonly batch: KeptBatch | undefined
}

/**
 * The statement that holds and routes asks, all or none (`take_ask` and `take_asks`, migration 0013). It gives false when
 * one was seen before, or an account does not cover what is due. Their ids must differ.
 */
export function takeStatement({ asks, batch }: AskGroup, at: Instant): RawBuilder<{ taken: boolean }> {
  const [only, ...others] = asks
  return only && others.length === 0 && batch === undefined
    ? takeOne(only, at)
    : takeMany({ asks, batch }, at)
}

/** Runs that statement; where several accounts are due and one does not cover its part, it is raised, not given. */
export async function isTaken(running: Promise<readonly { taken: boolean }[]>): Promise<boolean> {
  try {
    const [row] = await running
    return row?.taken ?? false
  } catch (error) {
    if (isNotCovered(error)) return false
    throw error
  }
}

function takeOne({ sent, holdMinor, legs }: PassedAsk, at: Instant): RawBuilder<{ taken: boolean }> {
  const { ask, bodyDigest, sender, jws } = sent
  return sql<{
    taken: boolean
  }>`select take_ask(${formatInstant(at)}, ${ask.id}, ${ask.acquirer}, ${ask.idempotencyKey}, ${bodyDigest},
    ${sender}, ${ask.offer}, ${ask.purpose}, ${ask.mode}, ${ask.maxPrice.currency}, ${holdMinor}, ${ask.dryRun}, ${formatInstant(ask.expires)},
    ${jws}, ${legs.map(({ site }) => site)}, ${legs.map(({ offerRow }) => offerRow)}, ${legs.map(({ limitMinor }) => limitMinor)},
    ${legs.map(({ limitMinor }) => (ask.dryRun ? 0n : limitMinor))}) as taken`
}

function takeMany({ asks, batch }: AskGroup, at: Instant): RawBuilder<{ taken: boolean }> {
  const column = (of: (ask: PassedAsk) => string | number | boolean | undefined) => arrayLiteral(asks.map(of))
  const legs = asks.flatMap(({ sent: { ask }, legs: own }) => own.map((leg) => ({ ...leg, ask })))
  const legColumn = (of: (leg: (typeof legs)[number]) => string | number) => arrayLiteral(legs.map(of))
  const dues = duesOf(asks)
  return sql<{ taken: boolean }>`select take_asks(${formatInstant(at)},
    ${dues.map(({ owner }) => owner)}, ${dues.map(({ currency }) => currency)}, ${dues.map(({ totalMinor }) => totalMinor)},
    ${batch?.id}, ${batch?.digest}, ${batch?.processor}, ${batch?.jws},
    ${column(({ sent }) => sent.ask.id)}, ${column(({ sent }) => sent.ask.acquirer)}, ${column(({ sent }) => sent.ask.idempotencyKey)},
    ${bytesArrayLiteral(asks.map(({ sent }) => sent.bodyDigest))}, ${column(({ sent }) => sent.sender)},
    ${column(({ sent }) => sent.ask.offer)}, ${column(({ sent }) => sent.ask.purpose)}, ${column(({ sent }) => sent.ask.mode)},
    ${column(({ sent }) => sent.ask.maxPrice.currency)}, ${column(({ holdMinor }) => Number(holdMinor))},
    ${column(({ sent }) => sent.ask.dryRun)}, ${column(({ sent }) => formatInstant(sent.ask.expires))}, ${column(({ sent }) => sent.jws)},
    ${column(({ sent }) => sent.batch?.index)}, ${legColumn(({ ask }) => ask.id)}, ${legColumn(({ site }) => site)},
    ${legColumn(({ offerRow }) => offerRow)}, ${legColumn(({ limitMinor }) => Number(limitMinor))},
    ${legColumn(({ ask, limitMinor }) => (ask.dryRun ? 0 : Number(limitMinor)))}) as taken`
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
