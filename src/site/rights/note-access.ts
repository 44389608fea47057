import type { KeyObject } from 'node:crypto'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { inTurns } from '../../kernel/in-turns.ts'
import type { ReceiptKind } from '../../protocol/proof/receipt.ts'
import type { IssuedReceipt } from '../../transparency/receipt-log.ts'
import type { SiteContext } from '../site-context.ts'
import { subjectUnder } from '../vault/keys/person-keys.ts'
import { sealPersonText } from '../vault/keys/person-text.ts'
import { noteAccesses, takeAccessIds } from './access-store.ts'
import type { NewAccess } from './access-store.ts'
import type { KnownPerson, Reader } from './person-reading.ts'

/** What access notes need of the site. */
export type AccessContext = Pick<SiteContext, 'db' | 'log' | 'clock' | 'personKeys' | 'random'>

/** The label under which the reason of an access is sealed. */
export const ACCESS_REASON = 'access-reason'

/** A look, and at whom; the keys of the people, where they are known already. */
export interface LookAt {
  readonly people: readonly KnownPerson[]
  readonly reading: Reader
  readonly what: string
  readonly keys?: ReadonlyMap<number, KeyObject> | undefined
}

/**
 * Notes that somebody looks at a person's data, before anything of it is shown: a receipt in the log that names
 * nobody, and a line that the person sees (CJEU C-579/21: log data of consultations belongs to access). Gives the
 * number of the receipt. Nobody is exempt, the person and the operator included.
 */
export async function noteAccess(
  { db, log, clock, personKeys, random }: AccessContext,
  { people, reading: { by, reason }, what, keys: known }: LookAt,
): Promise<number> {
  const numbers = people.map(({ number }) => number)
  const [keys, ids] = await Promise.all([
    known ?? personKeys.keysOf(db, numbers),
    takeAccessIds(db, numbers.length),
  ])
  const noted = await inTurns(numbers, (person, index) => {
    const [key, id] = [keys.get(person), ids[index]]
    if (!key || id === undefined)
      throw new Fault('fault.internal', { what: 'Cannot note an access: a key or a number is missing' })
    const sealed =
      reason === undefined ? undefined : sealPersonText(reason, { key, use: ACCESS_REASON, random })
    return { id, person, reason: sealed, subjectOf: subjectUnder(key, `access ${id}`) }
  })
  if (noted.length === 0) return 0
  const kind: ReceiptKind = what === 'export' ? 'export' : 'access'
  const time = clock.now()
  const looks = noted.map((one): Look => ({ ...one, what, by, time, kind }))
  return (await notesOf(log).add(looks)).sequence
}

/** A look that is about to be noted, with what only the person's own record finds its receipt by. */
type Look = NewAccess & { readonly subjectOf: Digest }

/** Calls whose looks are noted together. */
const CALLS_AT_ONCE = 64

const notes = new WeakMap<AccessContext['log'], GroupCommit<readonly Look[], IssuedReceipt>>()

/** The looks at people in one log: those of callers who come at the same time are one write. Gives the first receipt of each. */
function notesOf(log: AccessContext['log']): GroupCommit<readonly Look[], IssuedReceipt> {
  const known = notes.get(log) ?? new GroupCommit((calls) => noteAll(log, calls), CALLS_AT_ONCE)
  notes.set(log, known)
  return known
}

async function noteAll(
  log: AccessContext['log'],
  calls: readonly (readonly Look[])[],
): Promise<readonly IssuedReceipt[]> {
  const looks = calls.flat()
  const receipts = await log.issueBy(
    looks.map(({ kind, subjectOf }) => ({ kind, subjectOf })),
    (on, issued) => noteAccesses(on, looks, issued),
  )
  let start = 0
  return calls.map(({ length }) => {
    const first = receipts[start]
    start += length
    if (!first) throw new Fault('fault.internal', { what: 'Cannot note an access: a receipt is missing' })
    return first
  })
}
