import { FAULTS, Fault } from '../kernel/faults.ts'
import type { FaultCode } from '../kernel/faults.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'

/** What a verb ends with (contracts, the command line); a server ends with 78 when its settings are wrong. */
export const EXIT = { done: 0, fellShort: 1, wrongUse: 2, unreachable: 3, configuration: 78 } as const

/** Something the user has to say differently: exit code 2. */
export class WrongUse extends Error {}

/** Something that was not got, though everything was asked rightly: exit code 1. */
export class FellShort extends Error {}

const UNREACHABLE: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.peer_unreachable',
  'fault.database_unreachable',
  'fault.unavailable',
  'fault.overloaded',
])
const WRONG_USE: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.request_malformed',
  'fault.configuration',
  'fault.key_missing',
  'fault.key_exposed',
  'fault.key_malformed',
  'fault.manifest_invalid',
])

/** The exit code of anything that was thrown. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof WrongUse) return EXIT.wrongUse
  if (thrown instanceof PeerRefusal) {
    if (thrown.status === 503 || thrown.status === 502) return EXIT.unreachable
    return thrown.status === 400 ? EXIT.wrongUse : EXIT.fellShort
  }
  if (thrown instanceof Fault && UNREACHABLE.has(thrown.code)) return EXIT.unreachable
  if (thrown instanceof Fault && WRONG_USE.has(thrown.code)) return EXIT.wrongUse
  return EXIT.fellShort
}

/** One sentence about anything that was thrown, and below it the fields or lines that were named. Never a stack. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof Fault)
    return [saidOf(thrown), ...thrown.errors.map(({ field, expected }) => `  ${field}: ${expected}`)].join(
      '\n',
    )
  if (thrown instanceof WrongUse || thrown instanceof FellShort) return thrown.message
  if (isSystemError(thrown))
    return `Cannot use "${thrown.path ?? thrown.syscall ?? 'the file'}": ${SYSTEM_WORDS[thrown.code] ?? thrown.code}`
  return `Something went wrong that was not foreseen: ${thrown instanceof Error ? thrown.message : String(thrown)}`
}

/** What another side said: its own sentence is enough where it has one, without the title that every refusal has. */
function saidOf(fault: Fault): string {
  const { message, code } = fault
  if (code !== 'fault.peer_refused' || isWrongClock(fault)) return withRemedy(fault)
  return message.startsWith(OUR_SIDE)
    ? `The other side could not do it: ${message.slice(OUR_SIDE.length)}`
    : message.replace(/^[^:]*: (?=Cannot )/, '')
}

const OUR_SIDE = 'Something went wrong on our side: '

/** Faults of the machine, whose own words say what is wrong but not what to do. */
const WITH_REMEDY: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.directory_in_use',
  'fault.directory_version',
  'fault.database_unreachable',
  'fault.database_version',
  'fault.disk_full',
  'fault.log_damaged',
])

function withRemedy(fault: Fault): string {
  if (isWrongClock(fault))
    return `${fault.message}; the clock of this machine and that of the server differ, set them right`
  if (!WITH_REMEDY.has(fault.code)) return fault.message
  const { remedy } = FAULTS[fault.code]
  return `${fault.message}; ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`
}

/** A token is made for the moment at which it is sent, so one that is late or early was made by another clock. */
function isWrongClock(fault: Fault): boolean {
  return (
    fault instanceof PeerRefusal &&
    fault.problemCode === 'fault.unauthenticated' &&
    /expired|not-yet-valid/.test(fault.message)
  )
}

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException & { code: string } {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && 'syscall' in thrown
}
