import { Fault } from '../../kernel/faults.ts'
import type { SiteContext } from '../site-context.ts'
import { sealPersonText } from '../vault/person-text.ts'
import { insertAccesses, takeAccessIds } from './access-store.ts'
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
  const keys = await personKeys.keysOf(db, numbers)
  const time = clock.now()
  return db.transaction().execute(async (tx) => {
    const ids = await takeAccessIds(tx, numbers.length)
    const subjects = await personKeys.subjectsOf(
      tx,
      numbers.map((person, index) => ({ person, text: `access ${ids[index]}` })),
    )
    const receipts = await log.issue(
      tx,
      subjects.map((subjectOf) => ({ kind: what === 'export' ? 'export' : 'access', subjectOf })),
    )
    const accesses = numbers.map((person, index) => {
      const key = keys.get(person)
      const [id, receipt] = [ids[index], receipts[index]?.sequence]
      if (!key || id === undefined || receipt === undefined)
        throw new Fault('fault.internal', { what: 'Cannot note an access: a key or a receipt is missing' })
      const sealed =
        reason === undefined ? undefined : sealPersonText(reason, { key, use: ACCESS_REASON, random })
      return { id, person, what, by, reason: sealed, time, receipt }
    })
    await insertAccesses(tx, accesses)
    return accesses[0]?.receipt ?? 0
  })
}
