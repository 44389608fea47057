import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import { coverageOf } from '../guard/coverage.ts'
import { measureRun } from '../metering/measure.ts'
import { priceRun } from '../metering/price-run.ts'
import type { AskFacts } from './ask-facts.ts'
import { collectAnswer } from './collect-answer.ts'
import { composeAnswer } from './compose-answer.ts'
import { countAsTold } from './count-as-told.ts'
import { declinedRun, guardRelease } from './guard-release.ts'
import type { GuardedRelease } from './guard-release.ts'
import { asAnswered, isStillSo } from './plan-ask.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { reserveAnswer } from './reserve-answer.ts'
import { reservationParts } from './reserve-run.ts'
import type { Approved } from './reserve-run.ts'
import { lookBefore } from './look-before.ts'
import { keptForLater, releaseAgain } from './stored-release.ts'
import { standsOn, toldOutcome } from './told-decline.ts'
import type { ToldOutcome } from './told-decline.ts'
import type { AskParts, SiteParts } from './site-parts.ts'

/**
 * What an ask in `aggregate` would come to: run, guarded and priced as it would be, but nothing is sealed, charged or
 * released. It tells the steps of price, people and coverage, or the decline, and no more than the ask itself would
 * tell; and it is counted as an answer by the guard, so that nobody learns by dry runs what asks would be refused.
 * The same ask afterwards gets what this one was let through, and cuts nothing new.
 */
export async function answerDryRun(
  facts: AskFacts,
  planned: PlannedAsk,
  parts: AskParts,
): Promise<ToldOutcome<Approved> | 'again'> {
  const look = await lookBefore(facts, planned, parts)
  if (!(await isStillSo(planned, look, parts))) return 'again'
  const again = releaseAgain(facts, { look, parts })
  if (again) return reserveTold(facts, { planned, ...again }, parts)
  const collected = await collectAnswer(planned, { look, parts })
  if (!collected.ok) return declinedRun(collected.error, { facts, look, parts })
  using hold = await parts.partitions.hold(look)
  if (!hold) return 'again'
  const guarded = await guardRelease({ facts, planned, collected: collected.value, hold, parts })
  if (guarded === 'again' || !guarded.ok) return guarded
  const { engineMs } = collected.value
  // Computed anew next to its own cuts it could be about other people, or nobody: the ask that follows gets this one.
  const kept = keptForLater(facts, { look, guarded: guarded.value, engineMs, parts })
  if (!(await countAsTold(kept, parts))) return 'again'
  return await reserveTold(facts, { planned, guarded: kept, engineMs }, parts)
}

async function reserveTold(
  facts: AskFacts,
  run: DryRun,
  parts: AskParts,
): Promise<ToldOutcome<Approved> | 'again'> {
  const { guarded } = run
  const planned = asAnswered(run.planned, guarded.release)
  const outcome = await toldOutcome(await toldOf(facts, run, parts), run, parts)
  if (!outcome.ok) return outcome
  const answer = await reserveAnswer(reservationParts(parts), {
    ...composeAnswer({ facts, planned, ...outcome.value }, parts),
    ...(await standsOn(run, parts)),
  })
  return answer === 'changed' ? 'again' : ok({ reason: planned.reason, answer })
}

interface DryRun {
  readonly planned: PlannedAsk
  readonly guarded: GuardedRelease
  readonly engineMs: number
}

async function toldOf(facts: AskFacts, { planned, guarded, engineMs }: DryRun, { vault }: SiteParts) {
  const manifest = planned.dataSets.get(facts.ask.offer)?.manifest
  if (!manifest) return declined('declined.no_route')
  const people = (await vault.households()).peopleOf(guarded.people).count()
  const units = measureRun({ people, rows: guarded.rows, cpuMs: engineMs })
  const price = priceRun(units, { tariff: manifest.tariff, highest: facts.priceLimit })
  if (!price.ok) return price
  const dataSetPeople = (await vault.people(manifest.dataSet)).count()
  return ok({
    price: price.value,
    coverage: coverageOf({ people, dataSetPeople, minimumGroup: planned.minimumPeople }),
  })
}
