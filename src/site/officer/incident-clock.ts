import { later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'

/** How long a controller has to tell the authority, as dated data: a change of the law is a line here. */
const NOTIFICATION_RULES = [
  { from: '2018-05-25', hours: 72, rule: 'GDPR Art. 33(1): 72 hours after having become aware' },
] as const

/** When the authority has to be told. Hours run through nights and holidays (Regulation 1182/71 Art. 3(1), (3)). */
export interface NotificationClock {
  readonly due: Instant
  readonly rule: string
}

/** The clock that began when the controller became aware. */
export function notificationClock(awareAt: Instant): NotificationClock {
  const day = Temporal.Instant.fromEpochMilliseconds(awareAt)
    .toZonedDateTimeISO('UTC')
    .toPlainDate()
    .toString()
  const inForce = NOTIFICATION_RULES.findLast(({ from }) => from <= day) ?? NOTIFICATION_RULES[0]
  return { due: later(awareAt, inForce.hours * 3_600_000), rule: inForce.rule }
}
