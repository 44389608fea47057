import { changeGrants } from '../consent/change-grants.ts'
import { grantsUnder } from '../consent/guardian-agreements.ts'
import { liveGrantsOf } from '../consent/grant-store.ts'
import { writeRevocations } from '../consent/revoke-grants.ts'
import type { SiteContext } from '../site-context.ts'
import { marksOf, ofGrownUps } from './guardian-power.ts'
import type { Identity } from './guardian-power.ts'
import { guardianshipsWithGrants } from './guardianship-store.ts'

/** At whose word they end. */
const SITE = 'site'

/**
 * Ends what guardians granted who are known now not to decide for themselves: it was never given by a holder of parental responsibility
 * (GDPR Art. 8(1)), and the one who relies on it has to be able to show that it was (Art. 7(1)). To be called after anything was told of
 * people's ages or residences, by whatever way: with `told` where it was of these alone, else all guardians are looked at. The
 * guardianship stays for the issuer to end; gives how many grants ended.
 */
export async function endGrantsOfBarred(
  parts: Pick<
    SiteContext,
    'db' | 'keys' | 'consent' | 'log' | 'clock' | 'vault' | 'principals' | 'territory'
  >,
  told?: readonly Identity[],
): Promise<number> {
  const standing = await guardianshipsWithGrants(parts.db, told && marksOf(parts, told))
  if (standing.length === 0) return 0
  const grownUps = new Set(await ofGrownUps(parts, standing, parts.clock.now()))
  const barred = standing.filter((one) => !grownUps.has(one))
  if (barred.length === 0) return 0
  const { changed } = await changeGrants(parts.consent, {
    body: { endGrantsUnder: barred.map(({ guardianship }) => guardianship) },
    facts: { by: SITE },
    act: async (tx, { last, now }) => {
      const under = new Set<number>()
      for (const { guardianship, person } of barred)
        for (const sequence of await grantsUnder(tx, { guardianship, person })) under.add(sequence)
      const live = await liveGrantsOf(tx, { people: [...new Set(barred.map(({ person }) => person))] })
      const ending = live.filter(({ sequence }) => under.has(sequence))
      const at = { context: parts.consent, last, now, by: SITE, cause: 'guardianship_ended' } as const
      const revoked = await writeRevocations(tx, ending, at)
      return { change: { sequence: last + revoked.length, newTerms: [], given: [], revoked }, unchanged: 0 }
    },
  })
  await parts.log.publish()
  return changed
}
