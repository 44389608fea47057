import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'

/** The moment at which a retention ends: its first day plus its period, at midnight UTC. */
export function retentionEnd({ from, period }: { readonly from: string; readonly period: string }): Instant {
  return instant(
    Temporal.PlainDate.from(from).add(Temporal.Duration.from(period)).toZonedDateTime('UTC')
      .epochMilliseconds,
  )
}
