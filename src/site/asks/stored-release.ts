import { deflateSync, inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import { openSealed, sealTo } from '../../kernel/crypto/jwe.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { TYP } from '../../protocol/message-types.ts'
import { releaseSchema } from '../../protocol/release.ts'
import type { Release } from '../../protocol/release.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import { canonicalQuery } from '../query/canonical-query.ts'
import type { AskFacts } from './ask-facts.ts'
import type { GuardedRelease } from './guard-release.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'

/**
 * Names everything that an answer depends on: what is asked, over which data set it was asked, whom it may use, how often
 * rows had changed, and the terms. While it is the same nothing new can be told, so an equal ask gets the stored answer.
 */
function epochOf(planned: PlannedAsk, { offer, look }: { offer: string; look: PartitionLook }): Digest {
  const { checked, minimumGroup, dominanceBp, dataSets, narrowedColumns } = planned
  return digestOfJson([
    canonicalQuery(checked.query),
    offer,
    [...dataSets].map(([dataSet, { manifest, eligibility }]) => [
      dataSet,
      eligibility.digest,
      look.changes.get(dataSet) ?? 0,
      digestOfJson(manifest),
    ]),
    [minimumGroup, dominanceBp, [...narrowedColumns]],
  ])
}

/** Where a stored release is, and the key of the site that opens it. */
export interface StoredKey {
  readonly acquirerGroup: string
  readonly epoch: Digest
  readonly key: KeyPair
}

/** A release as it was let out, and everybody behind it. */
interface StoredRelease {
  readonly release: Release
  readonly people: Bitset
}

/** The place of an ask's release among those that are stored. */
export function storedKeyOf(
  { ask }: AskFacts,
  { planned, look, parts }: { planned: PlannedAsk; look: PartitionLook; parts: SiteParts },
): StoredKey {
  const epoch = epochOf(planned, { offer: ask.offer, look })
  return { acquirerGroup: look.acquirerGroup, epoch, key: parts.keys.sealing }
}

/** What an equal ask got in this epoch, for this one: nothing is computed, nothing new is told, and it costs the same. */
export async function releaseAgain(
  { ask }: AskFacts,
  { look, stored, parts }: { look: PartitionLook; stored: StoredKey; parts: SiteParts },
): Promise<GuardedRelease | undefined> {
  if (ask.mode !== 'aggregate') return undefined
  const found = await findRelease(parts.db, stored)
  return (
    found && {
      release: { ...found.release, ask: ask.id },
      people: found.people,
      rows: 0,
      withheld: 0,
      commitCuts: undefined,
      changes: look.changes,
    }
  )
}

/** The same release, kept for equal asks in the transaction that lets it out. */
export function keptForLater(
  { ask, now }: AskFacts,
  { stored, guarded }: { stored: StoredKey; guarded: GuardedRelease },
): GuardedRelease {
  if (ask.mode !== 'aggregate') return guarded
  return {
    ...guarded,
    commitCuts: async (tx) => {
      await guarded.commitCuts?.(tx)
      await keepRelease(tx, stored, { release: guarded.release, people: guarded.people, now })
    },
  }
}

/** The release of an equal ask in this epoch; undefined where there is none, or none that the site's present key opens. */
async function findRelease(
  db: Database,
  { acquirerGroup, epoch, key }: StoredKey,
): Promise<StoredRelease | undefined> {
  const { rows } = await sql<{ sealed: string; people: Uint8Array }>`
    select sealed, people from stored_release where acquirer_group = ${acquirerGroup} and epoch = ${epoch}`.execute(
    db,
  )
  const [row] = rows
  const opened = row && openSealed(row.sealed, { key, typ: TYP.release })
  if (!row || !opened) return undefined
  const release = releaseSchema.parse(JSON.parse(Buffer.from(opened).toString()))
  return { release, people: Bitset.fromBytes(inflateSync(row.people)) }
}

/** Keeps a release for equal asks, in the transaction that lets it out. The first of an epoch stays. */
async function keepRelease(
  tx: DatabaseTransaction,
  { acquirerGroup, epoch, key }: StoredKey,
  { release, people, now }: StoredRelease & { readonly now: Instant },
): Promise<void> {
  const sealed = sealTo(key.publicJwk, { plaintext: Buffer.from(canonicalJson(release)), typ: TYP.release })
  await sql`
    insert into stored_release (acquirer_group, epoch, ask_id, sealed, people, stored_ms)
    values (${acquirerGroup}, ${epoch}, ${release.ask}, ${sealed}, ${deflateSync(people.toBytes())}, ${now}::bigint)
    on conflict do nothing`.execute(tx)
}
