import { Fault } from '../../kernel/faults.ts'
import type { FaultCode } from '../../kernel/faults.ts'

const DISK_FULL = /No space left on device|Disk quota exceeded/i

const CODES: readonly (readonly [RegExp, FaultCode, string])[] = [
  [DISK_FULL, 'fault.disk_full', 'the disk is full'],
  [/Could not set lock on file|Conflicting lock/i, 'fault.directory_in_use', 'another process has it open'],
  [
    /not a valid DuckDB database file|database file with version|newer version of DuckDB/i,
    'fault.directory_version',
    'its file is not one that this version can read',
  ],
]

/**
 * A failure of the engine as a fault. The engine's own message is not kept, neither as text nor as cause: it may
 * quote a value or a literal. Its class is (`Conversion Error`), which says enough to look further.
 */
export function vaultFault(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error
  const end = vaultEnd(error)
  if (end) return end
  const message = error instanceof Error ? error.message : ''
  const [, code, why] = CODES.find(([pattern]) => pattern.test(message)) ?? []
  return new Fault(code ?? 'fault.vault', { what: `${what}: ${why ?? errorClass(message)}` })
}

/**
 * The end of the engine, if that is what a failure is: after one that it calls fatal (it could not write what it had
 * begun to, or found itself broken) it answers nothing any more, and must be opened anew on what is on disk. A change
 * that it failed in may be there: a commit is durable before the log is folded into the file, which needs room too.
 */
export function vaultEnd(error: unknown): Fault | undefined {
  const message = error instanceof Error ? error.message : ''
  if (!/^(FATAL|INTERNAL) Error|database has been invalidated/i.test(message)) return undefined
  return DISK_FULL.test(message)
    ? new Fault('fault.ended_disk_full', { what: 'The vault ended because the disk is full' })
    : new Fault('fault.vault_ended', { what: `The vault ended by itself (${errorClass(message)})` })
}

/** Whether the engine stopped because it was told to. */
export function isInterrupted(error: unknown): boolean {
  return error instanceof Error && /^INTERRUPT Error/i.test(error.message)
}

/** Whether the engine needed more memory than it may take. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /^Out of Memory Error/i.test(error.message)
}

function errorClass(message: string): string {
  return (
    /^([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* (?:Error|Exception))\b/i.exec(message)?.[1] ?? 'the engine failed'
  )
}
