import { Fault } from '../../kernel/faults.ts'
import type { SiteContext } from '../site-context.ts'
import { subjectUnder } from '../vault/person-keys.ts'
import { sealPersonText } from '../vault/person-text.ts'
import { noteAccesses, takeAccessIds } from './access-store.ts'
import type { KnownPerson, Reader } from './person-reading.ts'

/** What access notes need of the site. */
export type AccessContext = Pick<SiteContext, 'db' | 'log' | 'clock' | 'personKeys' | 'random'>

/** The label under which the reason of an access is sealed. */
export const ACCESS_REASON = 'access-reason'

/**
 * Notes that somebody looks at a person's data, before anything of it is shown: a receipt in the log that names
 * nobody, and a line that the person sees (CJEU C-579/21: log data of consultations belongs to access). Gives the
 * number of the receipt. Nobody is exempt, the person and the operator included.
 */
export async function noteAccess(
  { db, log, clock, personKeys, random }: AccessContext,
  {
    people,
    reading: { by, reason },
    what,
  }: { people: readonly KnownPerson[]; reading: Reader; what: string },
): Promise<number> {
  const numbers = people.map(({ number }) => number)
  const [keys, ids] = await Promise.all([personKeys.keysOf(db, numbers), takeAccessIds(db, numbers.length)])
  const noted = numbers.map((person, index) => {
    const [key, id] = [keys.get(person), ids[index]]
    if (!key || id === undefined)
      throw new Fault('fault.internal', { what: 'Cannot note an access: a key or a number is missing' })
    const sealed =
      reason === undefined ? undefined : sealPersonText(reason, { key, use: ACCESS_REASON, random })
    return { id, person, reason: sealed, subjectOf: subjectUnder(key, `access ${id}`) }
  })
  if (noted.length === 0) return 0
  const kind = what === 'export' ? 'export' : 'access'
  const accesses = { what, by, time: clock.now(), people: noted }
  const [receipt] = await log.issueBy(
    noted.map(({ subjectOf }) => ({ kind, subjectOf })),
    (on, receipts) => noteAccesses(on, accesses, { kind, receipts }),
  )
  if (!receipt) throw new Fault('fault.internal', { what: 'Cannot note an access: a receipt is missing' })
  return receipt.sequence
}
