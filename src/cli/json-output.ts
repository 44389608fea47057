import { formatInstant, instant } from '../kernel/clock.ts'

/** Fields that hold a moment; inside they are milliseconds, on the wire and in `--json` RFC 3339. */
const INSTANT_FIELDS: ReadonlySet<string> = new Set([
  'time',
  'expires',
  'received',
  'decidedAt',
  'describedAt',
  'importedAt',
  'givenAt',
  'revokedAt',
  'validFrom',
  'validUntil',
  'from',
  'until',
  'requestedAt',
  'deletedAt',
  'permanentBy',
  'permanentAt',
  'takenAt',
  'expiresAt',
  'correctedAt',
  'since',
  'liftToldAt',
  'liftsAt',
])

/** What `--json` prints: wire forms, money as `{"amount", "currency"}`, moments as RFC 3339. */
export function jsonText(value: unknown): string {
  return JSON.stringify(wireForm(value), null, 2)
}

function wireForm(value: unknown, field = ''): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && INSTANT_FIELDS.has(field)) return formatInstant(instant(value))
  if (Array.isArray(value)) return value.map((item) => wireForm(item))
  if (typeof value !== 'object' || value === null) return value
  if ('amountMinor' in value && 'currency' in value)
    return { amount: Number(value.amountMinor), currency: value.currency }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, wireForm(inner, name)]))
}
