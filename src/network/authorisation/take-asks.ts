import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { arrayLiteral, bytesArrayLiteral } from './array-literal.ts'
import type { Statement } from './booking-line.ts'
import type { PassedAsk } from './decided-ask.ts'
import type { KeptBatch } from './sent-ask.ts'

/** Asks that go into the database together. */
export interface AskGroup {
  readonly asks: readonly PassedAsk[]
  /** The batch that those with a place in one came in. */
  readonly batch: KeptBatch | undefined
}

const TAKE_ONE = `select places is not null as taken, places from ${callOf('take_ask', 17)} as places`
const TAKE_MANY = `select ${callOf('take_asks', 26)} as taken`

/** What a statement that takes asks gives; `places` where it takes one. */
export interface TakenRow {
  readonly taken: boolean
  readonly places?: readonly string[] | null
}

/**
 * The statement that holds and routes asks, all or none (`take_ask` and `take_asks`, migration 0013); `takenOf` reads what
 * comes of it. Their ids must differ.
 */
export function takeStatement({ asks, batch }: AskGroup, at: Instant): Statement {
  const [only, ...others] = asks
  return only && others.length === 0 && batch === undefined
    ? { text: TAKE_ONE, values: valuesOfOne(only, at) }
    : { text: TAKE_MANY, values: valuesOfMany({ asks, batch }, at) }
}

/** Undefined, and nothing done, when one was seen before or an account does not cover what is due from it. */
export async function takenOf(running: Promise<readonly TakenRow[]>): Promise<TakenRow | undefined> {
  try {
    const [row] = await running
    return row?.taken === true ? row : undefined
  } catch (error) {
    if (isInTheWay(error)) return undefined
    throw error
  }
}

function callOf(name: string, parameters: number): string {
  const places = Array.from({ length: parameters }, (_, index) => `$${index + 1}`)
  return `${name}(${places.join(', ')})`
}

function valuesOfOne({ sent, holdMinor, legs }: PassedAsk, at: Instant): readonly unknown[] {
  const { ask, bodyDigest, sender, jws } = sent
  return [
    formatInstant(at),
    ask.id,
    ask.acquirer,
    ask.idempotencyKey,
    `\\x${bodyDigest}`,
    sender,
    ask.offer,
    ask.purpose,
    ask.mode,
    ask.maxPrice.currency,
    holdMinor,
    ask.dryRun,
    formatInstant(ask.expires),
    jws,
    arrayLiteral(legs.map(({ site }) => site)),
    arrayLiteral(legs.map(({ offerRow }) => offerRow)),
    arrayLiteral(legs.map(({ limitMinor }) => Number(limitMinor))),
  ]
}

function valuesOfMany({ asks, batch }: AskGroup, at: Instant): readonly unknown[] {
  const column = (of: (ask: PassedAsk) => string | number | boolean | undefined) => arrayLiteral(asks.map(of))
  const legs = asks.flatMap(({ legs: own }, index) => own.map((leg) => ({ ...leg, place: index + 1 })))
  const legColumn = (of: (leg: (typeof legs)[number]) => string | number) => arrayLiteral(legs.map(of))
  const dues = duesOf(asks)
  return [
    formatInstant(at),
    arrayLiteral(dues.map(({ owner }) => owner)),
    arrayLiteral(dues.map(({ currency }) => currency)),
    arrayLiteral(dues.map(({ totalMinor }) => String(totalMinor))),
    batch?.id,
    batch?.digest,
    batch?.processor,
    batch?.jws,
    column(({ sent }) => sent.ask.id),
    column(({ sent }) => sent.ask.acquirer),
    column(({ sent }) => sent.ask.idempotencyKey),
    bytesArrayLiteral(asks.map(({ sent }) => sent.bodyDigest)),
    column(({ sent }) => sent.sender),
    column(({ sent }) => sent.ask.offer),
    column(({ sent }) => sent.ask.purpose),
    column(({ sent }) => sent.ask.mode),
    column(({ sent }) => sent.ask.maxPrice.currency),
    column(({ holdMinor }) => Number(holdMinor)),
    column(({ sent }) => sent.ask.dryRun),
    column(({ sent }) => formatInstant(sent.ask.expires)),
    column(({ sent }) => sent.jws),
    column(({ sent }) => sent.batch?.index),
    legColumn(({ place }) => place),
    legColumn(({ site }) => site),
    legColumn(({ offerRow }) => offerRow),
    legColumn(({ limitMinor }) => Number(limitMinor)),
  ]
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

/** Not covered, where several accounts are due; or an id or idempotency key that was used before. */
function isInTheWay(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'HG002' || error.code === '23505')
}
