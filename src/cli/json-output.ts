import { formatInstant, instant } from '../kernel/clock.ts'

/**
 * Fields that hold a moment, by their names: what comes from a server is milliseconds here, on the wire and in `--json` RFC 3339.
 * A test holds every moment of the protocol against this.
 */
const MOMENT =
  /^(?:at|by|due|expires|first|from|last|lifts|now|received|since|time|to|until)$|(?:At|By|From|Since|Until)$/

/** Below this, 3 March 1973, a whole number under one of these names is a count or a place; but see `ALWAYS`. */
const MOMENT_MIN = 100_000_000_000

/** Names that nothing but a moment has, however long ago. */
const ALWAYS = /^(?:expires|from|received|since|time|until)$|(?:At|From|Until)$/

/** Fields with values by the names of columns, which are an issuer's words and none of ours: what stands there is as it came. */
const OF_COLUMNS: ReadonlySet<string> = new Set(['set', 'where'])

/** What `--json` prints: wire forms, money as `{"amount", "currency"}`, moments as RFC 3339. */
export function jsonText(value: unknown): string {
  return JSON.stringify(wireForm(value), null, 2)
}

function wireForm(value: unknown, field = ''): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && isMoment(field, value)) return formatInstant(instant(value))
  if (Array.isArray(value)) return value.map((item) => wireForm(item, field))
  if (typeof value !== 'object' || value === null || OF_COLUMNS.has(field)) return value
  if ('amountMinor' in value && 'currency' in value)
    return { amount: Number(value.amountMinor), currency: value.currency }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, wireForm(inner, name)]))
}

function isMoment(field: string, value: number): boolean {
  return MOMENT.test(field) && Number.isInteger(value) && (value >= MOMENT_MIN || ALWAYS.test(field))
}
