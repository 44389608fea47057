import { Fault } from '../../kernel/faults.ts'
import { ok } from '../../kernel/result.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import { coverageOf } from '../guard/coverage.ts'
import type { Coverage } from '../guard/coverage.ts'
import { sealRelease } from '../guard/seal-release.ts'
import { makeClearingRecord } from '../metering/make-clearing-record.ts'
import { measureRun } from '../metering/measure.ts'
import { priceRun } from '../metering/price-run.ts'
import type { StoredAnswer } from './answer-store.ts'
import type { AskFacts } from './ask-facts.ts'
import { composeAnswer } from './compose-answer.ts'
import type { GuardedRelease } from './guard-release.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { reserveAnswer } from './reserve-answer.ts'
import type { Reservation, ReservationParts } from './reserve-answer.ts'
import type { AskParts, SiteParts } from './site-parts.ts'

/** What was reserved, and why it may be. */
export interface Approved {
  readonly reason: PlannedAsk['reason']
  readonly answer: StoredAnswer
}

/** A run that the guard let through. */
interface Run {
  readonly planned: PlannedAsk
  readonly engineMs: number
  readonly guarded: GuardedRelease
  /** The noisy number of people of mode `private`: what is charged and told may follow nothing else. */
  readonly noisyPeople?: number | undefined
}

/** Prices a run, seals its release, and puts together everything that its reservation makes true. */
export async function priceAndSeal(
  facts: AskFacts,
  { planned, engineMs, guarded, noisyPeople }: Run,
  parts: SiteParts,
): Promise<Outcome<Reservation>> {
  const offered = planned.dataSets.get(facts.ask.offer)
  if (!offered) return declined('declined.no_route')
  const { manifest } = offered
  const households = await parts.vault.households()
  const people = noisyPeople ?? households.peopleOf(guarded.people).count()
  const units = measureRun({
    people,
    rows: guarded.rows,
    cpuMs: engineMs,
  })
  const price = priceRun(units, { tariff: manifest.tariff, highest: facts.priceLimit })
  if (!price.ok) return price
  const sealed = sealRelease(guarded.release, facts.acquirerKeys.sealing)
  if (!sealed.ok) return sealed
  const coverage = await coverageOfRun({ planned, people, noisyPeople, manifest }, parts)
  const clearing = makeClearingRecord(
    {
      ask: facts.ask.id,
      site: parts.site,
      acquirer: facts.ask.acquirer,
      manifest,
      units,
      price: price.value,
      releaseDigest: sealed.value.digest,
      now: facts.now,
    },
    parts.keys.signing,
  )
  return ok(
    composeAnswer(
      {
        facts,
        planned,
        price: price.value,
        run: { guarded, households, units, coverage, sealed: sealed.value, clearing },
      },
      parts,
    ),
  )
}

/** People in a step; of mode `private` the step of a noisy number, and no share, whose whole is an exact number. */
async function coverageOfRun(
  {
    planned,
    people,
    noisyPeople,
    manifest,
  }: Omit<Run, 'engineMs' | 'guarded'> & { readonly manifest: Manifest; readonly people: number },
  parts: SiteParts,
): Promise<Coverage> {
  const { minimumGroup, minimumPeople } = planned
  if (noisyPeople !== undefined)
    return { peopleStep: noisyPeople < minimumGroup ? 0 : Math.max(stepOf(noisyPeople), minimumGroup) }
  const dataSetPeople = await parts.vault.people(manifest.dataSet)
  return coverageOf({ people, dataSetPeople: dataSetPeople.count(), minimumGroup: minimumPeople })
}

/** Reserves what a run came to; `again` when what it stands on changed meanwhile, and then nothing of it was kept. */
export async function reserveRun(
  planned: PlannedAsk,
  reservation: Reservation,
  parts: AskParts,
): Promise<Outcome<Approved> | 'again'> {
  try {
    const answer = await reserveAnswer(reservationParts(parts), withUse(reservation, planned))
    return answer === 'changed' ? 'again' : ok({ reason: planned.reason, answer })
  } catch (error) {
    // Another answer cut the partition, or used the budget, meanwhile: what was computed is of no use.
    if (error instanceof Fault && error.code === 'fault.overloaded') return 'again'
    throw error
  }
}

/** A release counts in the map of use. */
function withUse(reservation: Reservation, { checked }: PlannedAsk): Reservation {
  const { answer, beside } = reservation
  const [first] = reservation.uses
  if (!first) return reservation
  const { acquirer, decidedAt: now } = answer
  const columns = { acquirer, purpose: first.purpose, uses: checked.uses, now }
  return { ...reservation, beside: { ...beside, columns } }
}

/** What a reservation needs of a site. */
export function reservationParts({ db, log, mirror, untilTimeClass }: AskParts): ReservationParts {
  return { db, log, mirror, untilTimeClass }
}
