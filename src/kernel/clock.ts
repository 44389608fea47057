/** A moment: whole milliseconds since 1970-01-01T00:00:00Z. On the wire it is an RFC 3339 text in UTC. */
export type Instant = number & { readonly __brand: 'Instant' }

/** Time as a port: what the time is, and how to wait. A simulation gives its own. */
export interface Clock {
  now(): Instant
  /** Resolves after `durationMs`, or at once when `signal` is aborted (it does not reject). */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

/** Turns milliseconds since the epoch into an `Instant`. */
export function instant(epochMs: number): Instant {
  return Math.trunc(epochMs) as Instant
}

/** `later(t, 5_000)` is five seconds after `t`. */
export function later(moment: Instant, durationMs: number): Instant {
  return instant(moment + durationMs)
}

/** For libraries that ask for a `Date`. */
export function dateOf(moment: Instant): Date {
  return new Date(moment)
}

/** RFC 3339 in UTC with milliseconds, for example `2026-11-24T10:00:00.000Z`. */
export function formatInstant(moment: Instant): string {
  if (moment !== lastWritten.moment) lastWritten = { moment, text: new Date(moment).toISOString() }
  return lastWritten.text
}

/** The present is written many times in a row. */
let lastWritten = { moment: 0 as Instant, text: '1970-01-01T00:00:00.000Z' }

/** The calendar date in UTC, for example `2026-11-24`. */
export function formatDate(moment: Instant): string {
  return formatInstant(moment).slice(0, 10)
}

/** Reads an RFC 3339 text; `undefined` when it is none. */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC_3339.test(text)) return undefined
  // `Date.parse` takes 30 February for 2 March.
  if (Number(text.slice(8, 10)) > daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7)))) return undefined
  const epochMs = Date.parse(text)
  return Number.isNaN(epochMs) ? undefined : instant(epochMs)
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Reads the `Date` header of an HTTP response (RFC 9110 §5.6.7); `undefined` when it is none. */
export function parseHttpDate(text: string): Instant | undefined {
  const epochMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(epochMs) ? undefined : instant(epochMs)
}

/** How long something is, for people: `45 seconds`, `60 minutes`, `3 hours`, `4 days`; rounded. */
export function durationText(durationMs: number): string {
  const seconds = Math.round(Math.abs(durationMs) / 1_000)
  if (seconds === 0) return 'less than a second'
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}

/** The machine's clock. The only place where the system time is read. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, durationMs)
      signal?.addEventListener('abort', finish, { once: true })
    }),
}

/**
 * Resolves once what was begun is on its way: a query leaves this process only when the one who began it stops computing.
 * For computing something long while a database works.
 */
export function onceUnderWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Monotonic milliseconds for measuring durations; never compared with an `Instant`. */
export function monotonicMs(): number {
  return performance.now()
}
