import { durationText } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import { LIMITS } from '../kernel/limits.ts'

/**
 * What is wrong with the time in which an ask may be answered, as the clock of whoever decides has it, and by how much;
 * `undefined` when nothing is. Often it is a clock that is wrong and not the ask, so both remedies are named.
 */
export function expiryProblem({
  expires,
  now,
  decider,
}: {
  expires: Instant
  now: Instant
  decider: 'network' | 'site'
}): string | undefined {
  const clock = `by the clock of the ${decider}`
  const orClock = 'or set right the clock that is wrong'
  if (expires <= now)
    return `The ask expired ${durationText(now - expires)} ago ${clock}; send it again, ${orClock}`
  if (expires <= now + LIMITS.askLifetimeMsMax + LIMITS.clockSkewMsMax) return undefined
  const most = durationText(LIMITS.askLifetimeMsMax)
  return `The ask lives for ${durationText(expires - now)} ${clock}, and ${most} are the most; send it with an earlier expiry, ${orClock}`
}
