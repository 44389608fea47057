import { Fault } from '../../kernel/faults.ts'

/** Money is only ever booked under a key: without one, a repeated request could book twice. */
export function requireKey(request: Request): string {
  const key = request.headers.get('idempotency-key')
  if (key !== null && key.length >= 8 && key.length <= 100) return key
  throw new Fault('fault.request_malformed', {
    what: 'Cannot book without a key: send the header "Idempotency-Key" with 8 to 100 characters',
    errors: [{ field: 'Idempotency-Key', expected: 'expected 8 to 100 characters' }],
  })
}
