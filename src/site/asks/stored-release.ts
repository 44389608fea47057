import { inflateSync } from 'node:zlib'
import { Bitset } from '../../kernel/bitset.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { openSealed, sealTo } from '../../kernel/crypto/jwe.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { TYP } from '../../protocol/message-types.ts'
import { releaseSchema } from '../../protocol/release.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import { canonicalQuery } from '../query/canonical-query.ts'
import type { AskFacts } from './ask-facts.ts'
import type { GuardedRelease } from './guard-release.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'

/**
 * Names everything that an answer depends on but the rows: what is asked, over which data set it was asked, whom it may use,
 * and the terms. Together with how often rows had changed that is its epoch (`lookIntoRecord`): while it is the same nothing
 * new can be told, so an equal ask gets the stored answer.
 */
export function questionDigest({ ask }: AskFacts, planned: PlannedAsk): Digest {
  const { checked, minimumGroup, dominanceBp, dataSets, narrowedColumns } = planned
  return digestOfJson([
    canonicalQuery(checked.query),
    ask.offer,
    [...dataSets].map(([dataSet, { manifest, eligibility }]) => [
      dataSet,
      eligibility.digest,
      digestOfJson(manifest),
    ]),
    [minimumGroup, dominanceBp, [...narrowedColumns]],
  ])
}

/**
 * What an equal ask got in this epoch, for this one: nothing is computed, nothing new is told, and it costs the same.
 * Undefined where there is none, or none that the site's present key opens.
 */
export function releaseAgain(
  { ask }: AskFacts,
  { look, parts }: { look: PartitionLook; parts: SiteParts },
): GuardedRelease | undefined {
  if (ask.mode !== 'aggregate' || !look.stored) return undefined
  const opened = openSealed(look.stored.sealed, { key: parts.keys.sealing, typ: TYP.release })
  if (!opened) return undefined
  const release = releaseSchema.parse(JSON.parse(Buffer.from(opened).toString()))
  return {
    release: { ...release, ask: ask.id },
    people: Bitset.fromBytes(inflateSync(look.stored.people)),
    rows: 0,
    withheld: 0,
    beside: {},
    changes: look.changes,
  }
}

/** The same release, kept for equal asks by the statement that lets it out. */
export function keptForLater(
  { ask, now }: AskFacts,
  { look, guarded, parts }: { look: PartitionLook; guarded: GuardedRelease; parts: SiteParts },
): GuardedRelease {
  if (ask.mode !== 'aggregate') return guarded
  const { release, people, beside } = guarded
  const { acquirerGroup, epoch } = look
  const sealed = sealTo(parts.keys.sealing.publicJwk, {
    plaintext: Buffer.from(canonicalJson(release)),
    typ: TYP.release,
  })
  return {
    ...guarded,
    beside: { ...beside, release: { acquirerGroup, epoch, ask: ask.id, sealed, people, now } },
  }
}
