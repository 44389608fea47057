import { sql } from 'kysely'
import { onceUnderWay } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { equalBytes } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import { cosign, withCosignature } from '../../protocol/proof/cosignature.ts'
import { EMPTY_ROOT, isConsistent } from '../../protocol/proof/merkle.ts'
import type { Directory } from '../membership/directory.ts'
import type { ShownCheckpoint } from './read-submission.ts'
import { byPresentKey } from './sign-by-present-key.ts'
import type { WitnessKeys } from './sign-by-present-key.ts'

/** What witnessing works with. */
export interface WitnessParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  /** Not the network's own signing key, so that neither says what the other means. */
  readonly keys: WitnessKeys
}

/** Why a checkpoint that was shown gets no cosignature. `stale`: the size that was seen last; `forked` is the alarm. */
export type NotCosigned =
  | { readonly kind: 'unknown-log' | 'not-signed' | 'malformed' | 'inconsistent' | 'forked' }
  | { readonly kind: 'stale'; readonly size: number }

/** What became of checkpoints that were shown: the lines of the first so many, and why the next one has none. */
export interface Witnessed {
  readonly lines: readonly string[]
  readonly stopped?: NotCosigned | undefined
}

/**
 * Cosigns checkpoints of a site's log, each of which follows from the one before and the first from the one that was seen last:
 * signed by the log, not smaller, and shown to contain it. What was seen is durable before a signature is given, so that no
 * two logs of one site are ever both cosigned, whoever asks and however often (C2SP tlog-witness).
 */
export async function cosignCheckpoints(
  parts: WitnessParts,
  shown: readonly ShownCheckpoint[],
): Promise<Witnessed> {
  const [first] = shown
  if (!first) return { lines: [] }
  const { origin } = first.checkpoint
  const keys = logKeys(parts.directory, origin)
  if (!keys) return { lines: [], stopped: { kind: 'unknown-log' } }
  const last = await readLast(parts.db, { origin, sizes: shown.map(({ checkpoint }) => checkpoint.size) })
  const signed = await signedOnes(shown, { origin, keys, seenSize: last.size })
  const judged = judgeAll(signed, { last, parts })
  const kept = judged.taken.filter(({ isNew }) => isNew)
  // Somebody else showed one meanwhile: these are judged by that.
  if (kept.length > 0 && !(await keepAfter(last, parts.db, kept))) return cosignCheckpoints(parts, shown)
  const lines = judged.taken.map(({ line }) => line)
  const stopped =
    judged.stopped ?? (signed.length < shown.length ? ({ kind: 'not-signed' } as const) : undefined)
  return { lines, stopped }
}

/**
 * The first so many that are signed by the log: what goes on from what was seen by the present key of its site, because whoever
 * has a former one, and the leaves that anybody may read, could lead the log elsewhere for good. Others are served between
 * one signature and the next.
 */
async function signedOnes(
  shown: readonly ShownCheckpoint[],
  { origin, keys, seenSize }: { readonly keys: LogKeys; readonly origin: string; readonly seenSize: number },
): Promise<readonly ShownCheckpoint[]> {
  const { present, ever } = keys
  const signed: ShownCheckpoint[] = []
  for (const one of shown) {
    if (signed.length > 0) await onceUnderWay()
    const isSeen = one.checkpoint.size <= seenSize
    if (!openCheckpoint(one.note, { origin, keys: isSeen ? ever : [present] })) break
    signed.push(one)
  }
  return signed
}

/** A checkpoint with the line that it gets. */
interface Taken {
  readonly shown: ShownCheckpoint
  readonly line: string
  readonly isNew: boolean
}

/** Takes one after another as far as each follows from the one before. */
function judgeAll(
  shown: readonly ShownCheckpoint[],
  { last, parts }: { last: Last; parts: WitnessParts },
): { readonly taken: readonly Taken[]; readonly stopped?: NotCosigned } {
  const taken: Taken[] = []
  let before: Pick<Last, 'size' | 'root'> = last
  for (const one of shown) {
    const { size } = one.checkpoint
    const problem = problemOf(one, { before, isFirst: taken.length === 0 })
    if (problem) return { taken, stopped: problem }
    const known = last.lines.get(size)
    const line =
      known === undefined
        ? cosign(one.text, { ...parts.keys, time: parts.clock.now() })
        : byPresentKey(known, one.text, parts.keys)
    taken.push({ shown: one, line, isNew: known === undefined })
    before = one.checkpoint
  }
  return { taken }
}

/** Several together must each be larger than the one before: the same one again would only be work. */
function problemOf(
  shown: ShownCheckpoint,
  { before, isFirst }: { before: Pick<Last, 'size' | 'root'>; isFirst: boolean },
): NotCosigned | undefined {
  const { old, checkpoint } = shown
  if (old > checkpoint.size || (!isFirst && checkpoint.size === before.size)) return { kind: 'malformed' }
  if (before.size !== old) return { kind: 'stale', size: before.size }
  const problem = changeProblem(shown, before)
  return problem && { kind: problem }
}

/** The newest checkpoint of a log that was seen, with its cosignature. */
export async function readWitnessed(db: Database, origin: string): Promise<string | undefined> {
  const { rows } = await sql<{ note: string }>`
    select note from witnessed_log where origin = ${origin} and size > 0`.execute(db)
  return rows[0]?.note
}

/** Keys that the log of a site is and was signed with. */
interface LogKeys {
  readonly present: PublicJwk
  readonly ever: readonly PublicJwk[]
}

/** `undefined` for what is no log of a site of this network. */
function logKeys(directory: Directory, origin: string): LogKeys | undefined {
  const site = directory.sites().find(({ id }) => logOrigin(id) === origin)
  const ever = site && directory.find(site.id)?.keySets.map(({ signing }) => signing)
  return site && ever && { present: site.keys.signing, ever }
}

interface Last {
  readonly size: number
  readonly root: Uint8Array
  /** Cosignatures of the checkpoints that are shown, where one was given before, by size. */
  readonly lines: ReadonlyMap<number, string>
}

async function readLast(
  db: Database,
  { origin, sizes }: { origin: string; sizes: readonly number[] },
): Promise<Last> {
  const { rows } = await sql<{
    size: bigint
    root: Uint8Array
    cosigned: bigint | null
    line: string | null
  }>`
    ${KEPT} select w.size, w.root, c.size as cosigned, c.line from witnessed_log w
    left join cosignature c on c.origin = w.origin and c.size = any(${sizes}::bigint[]) where w.origin = ${origin}`.execute(
    db,
  )
  const [row] = rows
  const lines = new Map(
    rows.flatMap(({ cosigned, line }) =>
      cosigned === null || line === null ? [] : [[Number(cosigned), line] as const],
    ),
  )
  return { size: Number(row?.size ?? 0n), root: row?.root ?? EMPTY_ROOT, lines }
}

function changeProblem(
  { proof, checkpoint }: ShownCheckpoint,
  last: Pick<Last, 'size' | 'root'>,
): 'inconsistent' | 'forked' | undefined {
  if (checkpoint.size === last.size) {
    if (!equalBytes(checkpoint.root, last.root)) return 'forked'
    return proof.length === 0 ? undefined : 'inconsistent'
  }
  if (last.size === 0) return proof.length === 0 ? undefined : 'inconsistent'
  const claim = { size1: last.size, size2: checkpoint.size, root1: last.root, root2: checkpoint.root, proof }
  return isConsistent(claim) ? undefined : 'inconsistent'
}

/** Keeps cosignatures and the newest of their checkpoints, unless another was seen since `last` was read; whether it did. */
async function keepAfter(last: Last, db: Database, kept: readonly Taken[]): Promise<boolean> {
  const newest = kept.at(-1)
  if (!newest) return true
  const { note, checkpoint } = newest.shown
  const column = <T>(of: (one: Taken) => T) => kept.map(of)
  const { rows } = await sql<{ size: bigint }>`
    ${KEPT} with seen as (
      insert into witnessed_log as w (origin, size, root, note)
      values (${checkpoint.origin}, ${checkpoint.size}, ${Buffer.from(checkpoint.root)}, ${withCosignature(note, newest.line)})
      on conflict (origin) do update set size = excluded.size, root = excluded.root, note = excluded.note
        where w.size = ${last.size} and w.root = ${Buffer.from(last.root)}
      returning origin)
    insert into cosignature (origin, size, root, line)
      select seen.origin, k.size, k.root, k.line
      from seen, unnest(${column(({ shown }) => shown.checkpoint.size)}::bigint[],
        ${column(({ shown }) => Buffer.from(shown.checkpoint.root))}::bytea[], ${column(({ line }) => line)}::text[]) as k(size, root, line)
    on conflict do nothing returning size`.execute(db)
  return rows.length > 0
}
