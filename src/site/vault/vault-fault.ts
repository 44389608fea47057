import { Fault } from '../../kernel/faults.ts'
import type { FaultCode } from '../../kernel/faults.ts'

const CODES: readonly (readonly [RegExp, FaultCode])[] = [
  [/No space left on device|Disk quota exceeded/i, 'fault.disk_full'],
  [/Could not set lock on file|Conflicting lock/i, 'fault.directory_in_use'],
  [
    /not a valid DuckDB database file|database file with version|newer version of DuckDB/i,
    'fault.directory_version',
  ],
]

/**
 * A failure of the engine as a fault. The engine's own message is not kept, neither as text nor as cause: it may
 * quote a value or a literal. Its class is (`Conversion Error`), which says enough to look further.
 */
export function vaultFault(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : ''
  const code = CODES.find(([pattern]) => pattern.test(message))?.[1] ?? 'fault.vault'
  return new Fault(code, { what: `${what}: ${errorClass(message)}` })
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
