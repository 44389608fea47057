import { inflateSync } from 'node:zlib'
import { z } from 'zod'
import { Bitset } from '../../kernel/bitset.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { openSealed, sealTo } from '../../kernel/crypto/jwe.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { releaseSchema } from '../../protocol/release.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import { canonicalQuery } from '../query/bind/expression/canonical-query.ts'
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

/** A release at rest, with the time that its run is charged for: else the price would tell that nothing was computed again. */
const storedSchema = z.strictObject({ release: releaseSchema, engineMs: z.number().min(0) })

/** What an ask came to, and for how long the engine was at work for it. */
export interface MeteredRelease {
  readonly guarded: GuardedRelease
  readonly engineMs: number
}

/**
 * What an equal ask got in this epoch, for this one: nothing is computed, nothing new is told, and it costs the same.
 * Undefined where there is none, or none that the site's present key opens.
 */
export function releaseAgain(
  { ask }: AskFacts,
  { look, parts }: { look: PartitionLook; parts: SiteParts },
): MeteredRelease | undefined {
  if (ask.mode !== 'aggregate' || !look.stored) return undefined
  const opened = openSealed(look.stored.sealed, { key: parts.keys.sealing, typ: TYP.release })
  if (!opened) return undefined
  const kept = readStored(JSON.parse(Buffer.from(opened).toString()))
  return {
    guarded: {
      release: { ...kept.release, ask: ask.id },
      people: Bitset.fromBytes(inflateSync(look.stored.people)),
      rows: 0,
      withheld: 0,
      beside: {},
      changes: look.changes,
    },
    engineMs: kept.engineMs,
  }
}

/** One that was kept before times were is charged for none. */
function readStored(stored: unknown): z.infer<typeof storedSchema> {
  const read = storedSchema.safeParse(stored)
  return read.success ? read.data : { release: releaseSchema.parse(stored), engineMs: 0 }
}

/** The same release, kept for equal asks by the statement that lets it out. */
export function keptForLater(
  { ask, now }: AskFacts,
  { look, guarded, engineMs, parts }: MeteredRelease & { look: PartitionLook; parts: SiteParts },
): GuardedRelease {
  if (ask.mode !== 'aggregate') return guarded
  const { release, people, beside } = guarded
  const { acquirerGroup, epoch } = look
  const sealed = sealTo(parts.keys.sealing.publicJwk, {
    plaintext: Buffer.from(canonicalJson({ release, engineMs })),
    typ: TYP.release,
  })
  return {
    ...guarded,
    beside: { ...beside, release: { acquirerGroup, epoch, ask: ask.id, sealed, people, now } },
  }
}
