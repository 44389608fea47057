import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { CalendarDate } from '../../protocol/law/legal-zones.ts'
import { ANSWER_MONTHS, EXTENSION_MONTHS, daysBetween, lastDayOf } from '../../protocol/law/request-clock.ts'
import type { RequestEvent, RequestState } from '../../protocol/http/request-api.ts'

/** Something that happened to a request. */
export interface HappenedEvent {
  readonly event: RequestEvent
  readonly at: Instant
}

/** Where a request stands, with its clock. */
export interface RequestStanding {
  readonly state: RequestState
  /** The last day on which it can be answered in time. */
  readonly dueOn: CalendarDate
  /** The last day on which an extension can be told. */
  readonly extendableUntil: CalendarDate
  readonly daysLeft: number
  readonly isOverdue: boolean
  /** When it was answered or ended. */
  readonly endedAt?: Instant | undefined
}

/** The clock of a request: who counts the days, and from when. */
export interface RequestClock {
  readonly receivedAt: Instant
  readonly events: readonly HappenedEvent[]
  /** Whose holidays count. */
  readonly country: string
  readonly now: Instant
}

/**
 * Where a request stands (GDPR Art. 12(3) to (6)): one month, two more if that was told in time, standing still while
 * the person is asked to show who they are. Pure.
 */
export function standingOf({ receivedAt, events, country, now }: RequestClock): RequestStanding {
  const from = formatDate(receivedAt)
  const has = (event: RequestEvent) => events.some((one) => one.event === event)
  const ended = events.find(({ event }) => ENDS[event] !== undefined)
  const pausedDays = pausedDaysOf(events, ended?.at ?? now)
  const months = has('extend') ? ANSWER_MONTHS + EXTENSION_MONTHS : ANSWER_MONTHS
  const dueOn = lastDayOf({ from, months, pausedDays, country })
  const extendableUntil = lastDayOf({ from, months: ANSWER_MONTHS, pausedDays, country })
  const isPaused = isWaiting(events)
  const daysLeft = daysBetween(formatDate(ended?.at ?? now), dueOn)
  const state: RequestState = ended
    ? (ENDS[ended.event] ?? 'open')
    : isPaused
      ? 'waiting_for_identity'
      : has('begin')
        ? 'in_progress'
        : 'open'
  return {
    state,
    dueOn,
    extendableUntil,
    daysLeft,
    isOverdue: !isPaused && daysLeft < 0,
    ...(ended === undefined ? {} : { endedAt: ended.at }),
  }
}

const ENDS: Readonly<Partial<Record<RequestEvent, RequestState>>> = {
  fulfil: 'fulfilled',
  refuse: 'refused',
  withdraw: 'withdrawn',
}

/** Whether an event may happen to a request as it stands; the words say why not. */
export function mayHappen(event: RequestEvent, clock: RequestClock): Result<true, string> {
  const { state, extendableUntil, isOverdue } = standingOf(clock)
  const has = (wanted: RequestEvent) => clock.events.some((one) => one.event === wanted)
  if (state === 'fulfilled' || state === 'refused' || state === 'withdrawn')
    return err(`it is ${state} already`)
  switch (event) {
    case 'receive':
      return err('it was received already')
    case 'extend':
      if (has('extend')) return err('it was extended before, and that is possible once')
      return formatDate(clock.now) > extendableUntil
        ? err(`an extension had to be told by ${extendableUntil} (GDPR Art. 12(3))`)
        : ok(true)
    case 'doubt_identity':
      if (state === 'waiting_for_identity') return err('it waits for that already')
      // Else a late answer could be made to look as if it were not late.
      return isOverdue
        ? err('its time is over, and a doubt does not stop a clock that has run out')
        : ok(true)
    case 'confirm_identity':
      return state === 'waiting_for_identity' ? ok(true) : err('nobody was asked to show who they are')
    case 'begin':
    case 'fulfil':
      return state === 'waiting_for_identity' ? err('it waits until it is clear who asks') : ok(true)
    case 'refuse':
    case 'withdraw':
      return ok(true)
  }
}

function isWaiting(events: readonly HappenedEvent[]): boolean {
  const last = events.findLast(({ event }) => event === 'doubt_identity' || event === 'confirm_identity')
  return last?.event === 'doubt_identity'
}

/** Days for which the clock stood still. */
function pausedDaysOf(events: readonly HappenedEvent[], until: Instant): number {
  let days = 0
  let since: Instant | undefined
  for (const { event, at } of events) {
    if (event === 'doubt_identity') since = at
    if (event === 'confirm_identity' && since !== undefined) {
      days += daysBetween(formatDate(since), formatDate(at))
      since = undefined
    }
  }
  return since === undefined ? days : days + daysBetween(formatDate(since), formatDate(until))
}
