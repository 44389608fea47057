import { Fault } from '../faults.ts'
import type { FaultCode } from '../faults.ts'

/** Codes of Node.js and SQLSTATEs of PostgreSQL (Appendix A of its manual) that tell what to do about it. */
const CODES: Readonly<Record<string, FaultCode>> = {
  ENOSPC: 'fault.disk_full',
  EDQUOT: 'fault.disk_full',
  '53100': 'fault.disk_full',
  ECONNREFUSED: 'fault.database_unreachable',
  ECONNRESET: 'fault.database_unreachable',
  ENOTFOUND: 'fault.database_unreachable',
  EAI_AGAIN: 'fault.database_unreachable',
  EHOSTUNREACH: 'fault.database_unreachable',
  ETIMEDOUT: 'fault.database_unreachable',
  EPIPE: 'fault.database_unreachable',
  '28000': 'fault.database_unreachable',
  '28P01': 'fault.database_unreachable',
  '3D000': 'fault.database_unreachable',
  '53300': 'fault.database_unreachable',
  '57P01': 'fault.database_unreachable',
  '57P02': 'fault.database_unreachable',
  '57P03': 'fault.database_unreachable',
  '42501': 'fault.database_unfit',
  CERT_HAS_EXPIRED: 'fault.database_unreachable',
  CERT_NOT_YET_VALID: 'fault.database_unreachable',
  CERT_REVOKED: 'fault.database_unreachable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'fault.database_unreachable',
  ERR_TLS_CERT_ALTNAME_INVALID: 'fault.database_unreachable',
  SELF_SIGNED_CERT_IN_CHAIN: 'fault.database_unreachable',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'fault.database_unreachable',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'fault.database_unreachable',
}

/** What the driver says, without a code, when the line breaks in the middle. */
const BROKEN_LINE =
  /Connection terminated|connection timeout|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|server does not support SSL/i

/**
 * A failure of PostgreSQL or the file system as a fault with its code: a full disk and a database that is away have
 * their own. `what` says what was attempted, without personal data; the error stays as the cause.
 */
export function faultOf(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error
  return new Fault(codeOf(error) ?? 'fault.internal', { what, cause: error })
}

function codeOf(error: unknown): FaultCode | undefined {
  if (error instanceof AggregateError) return error.errors.map(codeOf).find((code) => code !== undefined)
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // Nothing else of ours is reached by a socket without a fault of its own; a unix socket that is gone says ENOENT.
  const isConnecting = 'syscall' in error && error.syscall === 'connect'
  if (isConnecting || code.startsWith('08')) return 'fault.database_unreachable'
  return CODES[code] ?? (BROKEN_LINE.test(error.message) ? 'fault.database_unreachable' : undefined)
}
