import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { equalBytes } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../protocol/proof/checkpoint.ts'
import { cosign, withCosignature } from '../../protocol/proof/cosignature.ts'
import { EMPTY_ROOT, isConsistent } from '../../protocol/proof/merkle.ts'
import type { Directory } from '../membership/directory.ts'
import type { ShownCheckpoint } from './read-submission.ts'

/** What witnessing works with. */
export interface WitnessParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  /** The name and the key by which it cosigns; not the network's own signing key, so that neither says what the other means. */
  readonly name: string
  readonly key: KeyPair
}

/** What became of a checkpoint that was shown. `stale`: the size that was seen last; `forked` is the alarm. */
export type Witnessed =
  | { readonly kind: 'cosigned'; readonly line: string }
  | { readonly kind: 'unknown-log' | 'not-signed' | 'malformed' | 'inconsistent' | 'forked' }
  | { readonly kind: 'stale'; readonly size: number }

/**
 * Cosigns a checkpoint of a site's log if it follows from the one that was seen last: signed by the log, not smaller, and
 * shown to contain it. What was seen is durable before the signature is given, so that no two logs of one site are ever both
 * cosigned, whoever asks and however often (C2SP tlog-witness).
 */
export async function cosignCheckpoint(parts: WitnessParts, shown: ShownCheckpoint): Promise<Witnessed> {
  const { old, note, checkpoint } = shown
  const keys = logKeys(parts.directory, checkpoint.origin)
  if (!keys) return { kind: 'unknown-log' }
  if (!openCheckpoint(note, { origin: checkpoint.origin, keys })) return { kind: 'not-signed' }
  if (old > checkpoint.size) return { kind: 'malformed' }
  const last = await readLast(parts.db, checkpoint)
  if (last.size !== old) return { kind: 'stale', size: last.size }
  const problem = changeProblem(shown, last)
  if (problem) return { kind: problem }
  if (last.line !== undefined) return { kind: 'cosigned', line: last.line }
  const line = cosign(shown.text, { name: parts.name, key: parts.key, time: parts.clock.now() })
  if (await keepAfter(last, { db: parts.db, shown, line })) return { kind: 'cosigned', line }
  // Somebody else showed one meanwhile: this one is judged by that.
  return cosignCheckpoint(parts, shown)
}

/** The newest checkpoint of a log that was seen, with its cosignature. */
export async function readWitnessed(db: Database, origin: string): Promise<string | undefined> {
  const { rows } = await sql<{ note: string }>`
    select note from witnessed_log where origin = ${origin} and size > 0`.execute(db)
  return rows[0]?.note
}

/** Every key that the log of a site was signed with; `undefined` for what is no log of a site of this network. */
function logKeys(directory: Directory, origin: string): readonly PublicJwk[] | undefined {
  const site = directory.sites().find(({ id }) => logOrigin(id) === origin)
  return site && directory.find(site.id)?.keySets.map(({ signing }) => signing)
}

interface Last {
  readonly size: number
  readonly root: Uint8Array
  /** The cosignature of the checkpoint that is shown, if it was cosigned before. */
  readonly line: string | undefined
}

async function readLast(db: Database, { origin, size }: Checkpoint): Promise<Last> {
  const { rows } = await sql<{ size: bigint; root: Uint8Array; line: string | null }>`
    ${KEPT} select w.size, w.root, c.line from witnessed_log w left join cosignature c on c.origin = w.origin and c.size = ${size}
    where w.origin = ${origin}`.execute(db)
  const [row] = rows
  return { size: Number(row?.size ?? 0n), root: row?.root ?? EMPTY_ROOT, line: row?.line ?? undefined }
}

function changeProblem(
  { proof, checkpoint }: ShownCheckpoint,
  last: Last,
): 'inconsistent' | 'forked' | undefined {
  if (checkpoint.size === last.size) {
    if (!equalBytes(checkpoint.root, last.root)) return 'forked'
    return proof.length === 0 ? undefined : 'inconsistent'
  }
  if (last.size === 0) return proof.length === 0 ? undefined : 'inconsistent'
  const claim = { size1: last.size, size2: checkpoint.size, root1: last.root, root2: checkpoint.root, proof }
  return isConsistent(claim) ? undefined : 'inconsistent'
}

/** Keeps the checkpoint and its cosignature, unless another was seen since `last` was read; whether it did. */
async function keepAfter(
  last: Last,
  { db, shown: { note, checkpoint }, line }: { db: Database; shown: ShownCheckpoint; line: string },
): Promise<boolean> {
  const { origin, size } = checkpoint
  const root = Buffer.from(checkpoint.root)
  const { rows } = await sql<{ size: bigint }>`
    ${KEPT} with seen as (
      insert into witnessed_log as w (origin, size, root, note) values (${origin}, ${size}, ${root}, ${withCosignature(note, line)})
      on conflict (origin) do update set size = excluded.size, root = excluded.root, note = excluded.note
        where w.size = ${last.size} and w.root = ${Buffer.from(last.root)}
      returning origin, size, root)
    insert into cosignature (origin, size, root, line) select origin, size, root, ${line} from seen
    on conflict do nothing returning size`.execute(db)
  return rows.length > 0
}
