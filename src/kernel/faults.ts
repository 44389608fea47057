/**
 * The catalogue of faults: what Hedgerow or something it depends on could not do. A fault is never the asker's
 * decision (those are reasons, `protocol/reason.ts`). Codes are never reused. `docs/reference/errors.md` is made
 * from this table.
 */
export const FAULTS = {
  'fault.internal': {
    status: 500,
    isRetryable: false,
    publicText: 'Something went wrong on our side',
    remedy: 'Look up the request id in the log',
  },
  'fault.request_malformed': {
    status: 400,
    isRetryable: false,
    publicText: 'The request is not what was expected',
    remedy: 'Mend the fields named in "errors"',
  },
  'fault.unauthenticated': {
    status: 401,
    isRetryable: false,
    publicText: 'The request carries no valid token',
    remedy: 'Send a fresh token signed with a registered key',
  },
  'fault.forbidden': {
    status: 403,
    isRetryable: false,
    publicText: 'This key may not do that',
    remedy: 'Use the key of the role that may',
  },
  'fault.outside_perimeter': {
    status: 403,
    isRetryable: false,
    publicText: 'The data may not be stored where the site is',
    remedy:
      'Renew the evidence with "hedgerow site evidence", or place the data at a site inside its perimeter',
  },
  'fault.not_found': {
    status: 404,
    isRetryable: false,
    publicText: 'Not found',
    remedy: 'Check the address and the id',
  },
  'fault.method_not_allowed': {
    status: 405,
    isRetryable: false,
    publicText: 'The address does not take this method',
    remedy: 'Use one of the methods that "Allow" names',
  },
  'fault.conflict': {
    status: 409,
    isRetryable: false,
    publicText: 'The request contradicts what is already there',
    remedy: 'Read the current state, then decide',
  },
  'fault.idempotency_conflict': {
    status: 409,
    isRetryable: false,
    publicText: 'The same idempotency key came with another body',
    remedy: 'Use a new key for a new request',
  },
  'fault.withdrawn': {
    status: 410,
    isRetryable: false,
    publicText: 'The release was withdrawn, by its site or after a dispute, and is deleted here',
    remedy: 'Read the notices of the site ("hedgerow notices list"); ask again for what may still be used',
  },
  'fault.request_too_large': {
    status: 413,
    isRetryable: false,
    publicText: 'The request is too large',
    remedy: 'Send less at a time',
  },
  'fault.too_many_requests': {
    status: 429,
    isRetryable: true,
    publicText: 'Too many requests at once',
    remedy: 'Come again when "Retry-After" says; nothing was done. Send many asks or grants in one request',
  },
  'fault.unavailable': {
    status: 503,
    isRetryable: true,
    publicText: 'Not ready to serve',
    remedy: 'Try again; /readyz tells when',
  },
  'fault.overloaded': {
    status: 503,
    isRetryable: true,
    publicText: 'Too much work at once',
    remedy: 'Try again later',
  },
  'fault.database_unreachable': {
    status: 503,
    isRetryable: true,
    publicText: 'The database of the server is away',
    remedy: 'Start the database, or mend HEDGEROW_DATABASE_URL',
  },
  'fault.database_ended': {
    status: 503,
    isRetryable: true,
    publicText: 'The database of the server is away',
    remedy: 'Start the server again: nothing that was acknowledged is lost',
  },
  'fault.vault_ended': {
    status: 503,
    isRetryable: true,
    publicText: 'The vault of the site is away',
    remedy: 'Start the site again: nothing that was acknowledged is lost',
  },
  'fault.ended_disk_full': {
    status: 503,
    isRetryable: true,
    publicText: 'The disk of the server is full, and it stopped',
    remedy:
      'Free space on the disk of the data directory and start the server again: nothing that was acknowledged is lost',
  },
  'fault.database_version': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Use PostgreSQL 15 or newer',
  },
  'fault.database_unfit': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Change what the message names, or use a database of Hedgerow’s own',
  },
  'fault.directory_version': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Use the version of Hedgerow that wrote the directory, or another directory',
  },
  'fault.directory_in_use': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Stop the other server, or use another directory',
  },
  'fault.database_in_use': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Stop the other server, or use another database',
  },
  'fault.log_damaged': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Restore the directory and the database from the same backup; the log must not be made anew',
  },
  'fault.log_behind': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy:
      'Stop the other site that goes on with this log; where an older copy of this one was put back, restore it with "hedgerow site restore", and with --checkpoint if that one lacks receipts too; where a rotation of its keys was cut off, end it with "hedgerow site rotate-key". It must not serve as it is: it has forgotten erasures, withdrawals and what acquirers know',
  },
  'fault.parts_apart': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy:
      'The vault, the record and the keys of a site belong to one moment. Put back beside the others the part that was there, or restore the site with "hedgerow site restore". It must not serve as it is: who was erased could be back, and a new person be taken for somebody else',
  },
  'fault.disk_full': {
    status: 503,
    isRetryable: true,
    publicText: 'The disk of the server is full, and nothing was taken',
    remedy: 'Free space on the disk of the data directory',
  },
  'fault.port_in_use': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Choose another port with --port',
  },
  'fault.key_missing': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Make the keys with "hedgerow site init", or restore them',
  },
  'fault.key_exposed': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Run chmod 600 on the key file',
  },
  'fault.key_malformed': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Restore the key file',
  },
  'fault.configuration': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Mend the settings that are named',
  },
  'fault.evidence_missing': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Give evidence with "hedgerow site evidence"',
  },
  'fault.peer_unreachable': {
    status: 502,
    isRetryable: true,
    publicText: 'The other side could not be reached',
    remedy: 'Start that server, or say where it is (--network or HEDGEROW_NETWORK_URL; --url of a site)',
  },
  'fault.peer_refused': {
    status: 502,
    isRetryable: false,
    publicText: 'The other side refused',
    remedy: 'Read what it said',
  },
  'fault.import_malformed': {
    status: 422,
    isRetryable: false,
    publicText: 'The file has lines that are not what the manifest says',
    remedy: 'Mend the lines that are named; nothing was taken',
  },
  'fault.manifest_invalid': {
    status: 422,
    isRetryable: false,
    publicText: 'The manifest is not valid',
    remedy: 'Mend the fields that are named',
  },
  'fault.backup_damaged': {
    status: 422,
    isRetryable: false,
    publicText: 'The backup cannot be used',
    remedy: 'Use the key that it was made with, or another backup; look at both with "hedgerow site backups"',
  },
  'fault.backup_expired': {
    status: 410,
    isRetryable: false,
    publicText: 'The backup is older than its window',
    remedy: 'Use a newer one: who was erased since then is known for the time of the window only',
  },
  'fault.backup_safe': {
    status: 503,
    isRetryable: false,
    publicText: 'Not ready to serve',
    remedy: 'Point to the newest safe of the site with --safe, or mend "backup.safe" in its settings',
  },
  'fault.vault': {
    status: 500,
    isRetryable: true,
    publicText: 'Something went wrong on our side',
    remedy: 'Look up the request id in the log',
  },
} as const

export type FaultCode = keyof typeof FAULTS

/** One field that was wrong: its path (`ask.maxPrice.amount`) and what was expected. Never the value that came. */
export interface FieldProblem {
  readonly field: string
  readonly expected: string
}

interface FaultDetail {
  /** What was attempted and why it failed, for the operator: sentence case, no full stop, no personal data. */
  readonly what: string
  readonly cause?: unknown
  readonly errors?: readonly FieldProblem[]
  /** Whether `what` is about the caller's own request and may be told them, where faults of its code are not. */
  readonly isForCaller?: boolean
}

/** A broken promise with its code. Doors turn it into a problem document, the command line into one sentence. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly errors: readonly FieldProblem[]
  readonly isForCaller: boolean

  constructor(code: FaultCode, { what, cause, errors = [], isForCaller = false }: FaultDetail) {
    super(what, cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.code = code
    this.errors = errors
    this.isForCaller = isForCaller
  }
}

/** What a log may hold of a failure: our own sentence, or its kind and code alone, because the message of a library may quote a value. */
export function sayOf(error: unknown): string {
  if (error instanceof Fault) return error.message
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name
}
