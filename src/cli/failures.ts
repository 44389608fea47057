import { FAULTS, Fault } from '../kernel/faults.ts'
import type { FaultCode, FieldProblem } from '../kernel/faults.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'
import { systemWords } from '../kernel/system-words.ts'
import type { TokenProblem } from '../protocol/http/client-assertion.ts'

/** What a verb ends with (contracts, the command line); a server ends with 78 when its settings are wrong. */
export const EXIT = { done: 0, fellShort: 1, wrongUse: 2, unreachable: 3, configuration: 78 } as const

/** Why a verb was told to end, with the exit code that a shell gives to what a signal ended: 128 and its number. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(signal: keyof typeof SIGNAL_NUMBERS) {
    super(`Stopped by ${signal}`)
    this.exitCode = 128 + SIGNAL_NUMBERS[signal]
  }
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const

/** Something the user has to say differently: exit code 2. Fields that are named in the sentence are there for programs too. */
export class WrongUse extends Error {
  readonly errors: readonly FieldProblem[]

  constructor(message: string, errors: readonly FieldProblem[] = []) {
    super(message)
    this.errors = errors
  }
}

/** Something that was not got, though everything was asked rightly: exit code 1. */
export class FellShort extends Error {}

const UNREACHABLE: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.peer_unreachable',
  'fault.database_unreachable',
  'fault.database_ended',
  'fault.vault_ended',
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

/** A file that was named wrongly. */
const WRONG_PATHS: ReadonlySet<string> = new Set([
  'ENOENT',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ENAMETOOLONG',
])

/** The exit code of anything that was thrown. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof WrongUse) return EXIT.wrongUse
  if (thrown instanceof PeerRefusal) {
    if (thrown.status === 503 || thrown.status === 502 || thrown.status === 429) return EXIT.unreachable
    if (thrown.problemCode === 'fault.manifest_invalid') return EXIT.wrongUse
    return thrown.status === 400 ? EXIT.wrongUse : EXIT.fellShort
  }
  if (thrown instanceof Fault && UNREACHABLE.has(thrown.code)) return EXIT.unreachable
  if (thrown instanceof Fault && WRONG_USE.has(thrown.code)) return EXIT.wrongUse
  if (isSystemError(thrown) && WRONG_PATHS.has(thrown.code)) return EXIT.wrongUse
  return EXIT.fellShort
}

/** Whether the other side said that there is no such thing, or not for this caller. */
export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof PeerRefusal && thrown.problemCode === 'fault.not_found'
}

/** One sentence about anything that was thrown, and below it the fields or lines that were named. Never a stack. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof Fault) {
    const said = saidOf(thrown)
    const lines = thrown.errors.map(({ field, expected }) => `${field}: ${expected}`)
    const [only] = lines
    const hint = hintOf(said)
    if (hint !== undefined) return hint
    const [alone] = thrown.errors
    if (only !== undefined && lines.length === 1 && alone && said.endsWith(`: ${alone.expected}`))
      return said.endsWith(`: ${only}`) ? said : `${said.slice(0, -alone.expected.length)}${only}`
    if (only !== undefined && lines.length === 1 && said.endsWith(SOME_FIELDS))
      return `${said.slice(0, -SOME_FIELDS.length)}: ${only}`
    return [said, ...lines.filter((line) => !said.includes(line)).map((line) => `  ${line}`)].join('\n')
  }
  if (thrown instanceof WrongUse || thrown instanceof FellShort) return thrown.message
  if (isSystemError(thrown) && thrown.code === 'ENOSPC')
    return 'The disk of this machine is full: free space and do it again; HEDGEROW_HOME may be on another disk'
  if (isSystemError(thrown))
    return `Cannot use ${thrown.path === undefined ? 'the file' : `"${thrown.path}"`}: ${systemWords(thrown.code)}`
  return `Something went wrong that was not foreseen: ${thrown instanceof Error ? thrown.message : String(thrown)}`
}

/** What `--json` prints of a failure: the code of a fault or a refusal, if it has one, the sentence, and the fields that were named. */
export function failureDocument(
  thrown: unknown,
  { sentence, exitCode }: { sentence: string; exitCode: number },
): object {
  const isFault = thrown instanceof Fault
  const code = thrown instanceof PeerRefusal ? thrown.problemCode : isFault ? thrown.code : undefined
  const errors = isFault || thrown instanceof WrongUse ? thrown.errors : []
  // Below the first line they are named, and nothing else is said there.
  const detail = errors.length === 0 ? sentence : sentence.split('\n')[0]
  return {
    error: {
      ...(code === undefined ? {} : { code }),
      detail,
      ...(errors.length === 0 ? {} : { errors }),
    },
    exitCode,
  }
}

/** How a door ends its sentence about fields; a single one is told in its place. */
const SOME_FIELDS = ': some fields are not what was expected'

/** What the options are called by which a server is told what it misses: of them it knows nothing. */
const OPTIONS: Readonly<Record<string, string>> = {
  ': say the reason': ': say why, with --reason TEXT; the person will see it',
  ': say the issuer': ': say which issuer’s key it is, with --issuer MEMBER',
  '; use the key of the role that may': '; act as one who may, with --as MEMBER or --token-file FILE',
}

function hintOf(said: string): string | undefined {
  const [end, hint] = Object.entries(OPTIONS).find(([each]) => said.endsWith(each)) ?? []
  return end === undefined || hint === undefined ? undefined : `${said.slice(0, -end.length)}${hint}`
}

/** What another side said: its own sentence is enough where it has one, without the title that every refusal has. */
function saidOf(fault: Fault): string {
  const { message, code } = fault
  if (code !== 'fault.peer_refused') return withRemedy(fault)
  const said = message.replace(/^[^:]*: (?=Cannot )/, '')
  const advice = TOKEN_ADVICE[/: (?<word>[a-z-]+)$/.exec(said)?.groups?.['word'] ?? '']
  return advice === undefined ? said : `${said}; ${advice}`
}

/** What to do about a token that was refused, by the one word that the door gives. */
const TOKEN_ADVICE: Readonly<Record<string, string>> = {
  'unknown-key':
    'register the key of this member there (at a site its operator does, with "hedgerow site issuer MEMBER --site SITE"), or use the one that is registered',
  'bad-signature': 'register the key of this member there, or use the one that is registered',
  'wrong-audience':
    'another server answers there, or this one under another name: say where it is (--network; --url of a site)',
  suspended: 'ask the operator of the network',
  malformed: 'give a token as the OpenID Connect provider of the site signed it',
  'wrong-issuer': 'sign in at the OpenID Connect provider of this site (“oidc” in its settings)',
  expired: 'sign in again, or where a key speaks (--as) set the clock of this machine right',
  replayed: 'send it again',
} satisfies Partial<Record<TokenProblem | 'suspended' | 'wrong-issuer', string>>

/** Faults of the machine, whose own words say what is wrong but not what to do. */
const WITH_REMEDY: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.peer_unreachable',
  'fault.directory_in_use',
  'fault.database_in_use',
  'fault.directory_version',
  'fault.database_unreachable',
  'fault.database_ended',
  'fault.vault_ended',
  'fault.ended_disk_full',
  'fault.database_version',
  'fault.disk_full',
  'fault.log_damaged',
  'fault.log_behind',
  'fault.parts_apart',
  'fault.backup_damaged',
  'fault.backup_expired',
  'fault.backup_safe',
])

function withRemedy(fault: Fault): string {
  if (!WITH_REMEDY.has(fault.code)) return fault.message
  const { remedy } = FAULTS[fault.code]
  return `${fault.message}; ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException & { code: string } {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && 'syscall' in thrown
}
