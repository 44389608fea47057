import { formatInstant, parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { HAND_OVER_PARTS } from '../../protocol/http/hand-over-api.ts'
import type { CustodyEnd, MissingContract } from '../../protocol/law/processing-contract.ts'
import { readDataSets } from '../datasets/data-set-store.ts'
import { arrivedSince } from '../handover/handed-over.ts'
import type { SiteContext } from '../site-context.ts'
import { endedContract } from './contract-in-force.ts'

/** What is due of data sets without a contract, with what was done of it: once all of one went back, what is left is to delete it. */
export async function dueNow(
  { db }: Pick<SiteContext, 'db'>,
  missing: readonly MissingContract[],
): Promise<MissingContract[]> {
  return Promise.all(
    missing.map(async (one) => {
      const since = one.needs === 'return' && one.since !== undefined ? parseInstant(one.since) : undefined
      if (since === undefined) return one
      const { left, returnedAt } = await wentBack(db, { dataSet: one.dataSet, since })
      if (returnedAt === undefined) return { ...one, parts: left }
      return { ...one, needs: 'deletion' as const, returnedAt: formatInstant(returnedAt) }
    }),
  )
}

/** Data sets that were deleted while no contract stood and after theirs had ended, and whether they went back before (GDPR Art. 28(3)(g)). */
export async function custodyEnds(
  site: Pick<SiteContext, 'db' | 'contracts'>,
  { issuer }: { issuer?: string | undefined },
): Promise<CustodyEnd[]> {
  const records = (await readDataSets(site.db)).filter(
    ({ manifest }) => issuer === undefined || manifest.issuer === issuer,
  )
  const ends = await Promise.all(
    records.map(async ({ manifest, retiredAt }): Promise<CustodyEnd[]> => {
      const ended = retiredAt === undefined ? undefined : endedContract(site, manifest, retiredAt)
      if (!ended || retiredAt === undefined) return []
      const { dataSet, issuer: controller } = manifest
      const { returnedAt } = await wentBack(site.db, { dataSet, since: ended.at })
      return [
        {
          dataSet,
          controller,
          contract: ended.contract.id,
          endedAt: formatInstant(ended.at),
          afterEnd: ended.afterEnd,
          ...(returnedAt === undefined ? {} : { returnedAt: formatInstant(returnedAt) }),
          deletedAt: formatInstant(retiredAt),
        },
      ]
    }),
  )
  return ends.flat()
}

/** Which parts have not arrived since the end; and when the last of them did, once all have. */
async function wentBack(
  db: SiteContext['db'],
  { dataSet, since }: { dataSet: string; since: Instant },
): Promise<{ left: (typeof HAND_OVER_PARTS)[number][]; returnedAt?: Instant }> {
  const arrived = await arrivedSince(db, { dataSet, since })
  const left = HAND_OVER_PARTS.filter((part) => !arrived.has(part))
  const [last] = [...arrived.values()].toSorted((one, other) => other - one)
  return left.length === 0 && last !== undefined ? { left, returnedAt: last } : { left }
}
