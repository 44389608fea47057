import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import { Fault } from '../kernel/faults.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { Random } from '../kernel/random.ts'
import type { SiteEvents } from './events.ts'
import type { SiteKeys } from './site-keys.ts'
import type { Vault } from './vault/vault.ts'

/*
 * The vault is one file, the record a database, the keys a folder; only together, as they are at one moment, are they the site. One that
 * is put back alone is whole in itself, and nothing in it shows that it is older than the others. So each holds something that the
 * others have to know: the vault a mark, which changes at each start and after changes of it, and which the record notes.
 */

interface MarkParts {
  readonly db: Database
  readonly vault: Pick<Vault, 'mark' | 'keepMark'>
  readonly random: Random
}

/**
 * The mark that vault and record share. It changes in three steps, each durable before the next: the record notes the next one, the vault
 * takes it, the record notes that it has. Wherever that is cut off the vault has a mark that the record knows of; an older vault, or one
 * beside an older record, has another.
 */
export class VaultMark {
  readonly #parts: MarkParts
  #mark: string | undefined

  private constructor(parts: MarkParts, mark: string | undefined) {
    this.#parts = parts
    this.#mark = mark
  }

  /**
   * Holds vault and record against each other, and gives them a new mark: copies of either from before are told from now on.
   *
   * @throws Fault `fault.parts_apart`
   */
  static async open(parts: MarkParts): Promise<VaultMark> {
    const own = new VaultMark(parts, undefined)
    await own.change()
    return own
  }

  /** Looks again, and goes on to the next mark. What was cut off is taken up. Throws as `open`. */
  async change(): Promise<void> {
    const { vault } = this.#parts
    await this.require()
    const next = this.#nextMark()
    await this.#begin(next)
    await vault.keepMark(next)
    await this.#end(next)
    this.#mark = next
  }

  /** Whether both still have a mark that the other knows. Throws as `open`. */
  async require(): Promise<void> {
    const { db, vault } = this.#parts
    const { mark, pending } = await readNoted(db)
    const own = await vault.mark()
    if (own !== mark && (own === undefined || own !== pending)) throw apart(own, mark)
    this.#mark = own
  }

  #nextMark(): string {
    return `${numberOf(this.#mark) + 1} ${Buffer.from(this.#parts.random.bytes(MARK_BYTES)).toString('hex')}`
  }

  /** What is pending and was taken becomes the mark, so that two are known at any time and never three. */
  async #begin(next: string): Promise<void> {
    const mark = this.#mark ?? null
    const { numAffectedRows } = await sql`
      insert into vault_mark as known (is_one, mark, pending) values (true, ${mark}, ${next})
      on conflict (is_one) do update set mark = excluded.mark, pending = excluded.pending
      where known.mark is not distinct from ${mark} or known.pending is not distinct from ${mark}`.execute(
      this.#parts.db,
    )
    if (numAffectedRows !== 1n) throw apart(this.#mark, (await readNoted(this.#parts.db)).mark)
  }

  async #end(next: string): Promise<void> {
    const { numAffectedRows } = await sql`
      update vault_mark set mark = ${next}, pending = null where pending = ${next}`.execute(this.#parts.db)
    if (numAffectedRows !== 1n) throw apart(next, (await readNoted(this.#parts.db)).mark)
  }
}

const MARK_BYTES = 8

async function readNoted(
  db: Database,
): Promise<{ readonly mark?: string | undefined; readonly pending?: string | undefined }> {
  const { rows } = await sql<{
    mark: string | null
    pending: string | null
  }>`select mark, pending from vault_mark`.execute(db)
  const { mark, pending } = rows[0] ?? {}
  return { mark: mark ?? undefined, pending: pending ?? undefined }
}

/** How many there were before it. */
function numberOf(mark: string | undefined): number {
  return mark === undefined ? 0 : Number(mark.split(' ')[0])
}

function apart(own: string | undefined, noted: string | undefined): Fault {
  const [inVault, inRecord] = [numberOf(own), numberOf(noted)]
  const what =
    inVault === inRecord
      ? 'are not of one site'
      : `are of different moments: the ${inVault < inRecord ? 'vault' : 'record'} is older (${inVault} in the vault, ${inRecord} in the record)`
  return new Fault('fault.parts_apart', { what: `The vault and the record ${what}` })
}

/** How soon after a change a copy from before it is told, and how often it is looked whether nothing was replaced under a site that runs. */
const CHANGED_MS = 1_000
const LOOK_ROUNDS = 10

/** Changes the mark after changes of the vault, until `signal` is aborted; `end` is told of parts that are apart. */
export async function markForEver({
  mark,
  vault,
  clock,
  events,
  signal,
  end,
}: {
  mark: VaultMark
  vault: Pick<Vault, 'changes'>
  clock: Clock
  events: Pick<SiteEvents, 'failed'>
  signal: AbortSignal
  end: (fault: Fault) => void
}): Promise<void> {
  let changes = vault.changes()
  let pauseMs = CHANGED_MS
  for (let round = 1; !signal.aborted; round += 1) {
    await clock.sleep(pauseMs, signal)
    pauseMs = CHANGED_MS
    const seen = vault.changes()
    try {
      if (seen !== changes) await mark.change()
      else if (round % LOOK_ROUNDS === 0) await mark.require()
      changes = seen
    } catch (error) {
      if (error instanceof Fault && error.code === 'fault.parts_apart') return end(error)
      // A disk that is full, or a database that is away: it is tried again, and told of now and then.
      pauseMs = CHANGED_MS * LOOK_ROUNDS
      if (!signal.aborted) events.failed('marking the vault', error)
    }
  }
}

/**
 * Refuses keys that are older than the record: an operator's key, or a master key, that was replaced since. (The site's own signing key
 * stands under the checkpoint of its log.) A key that replaced the one that is known says so: the folder has the former one beside it,
 * or the record has its rotation.
 *
 * @throws Fault `fault.parts_apart`
 */
export async function requireKeysOfRecord(db: Database, keys: SiteKeys): Promise<void> {
  const operator = keyIdOf(keys.operator.publicJwk)
  const former = new Set(keys.formerOperators.map(keyIdOf))
  const { rows: rotations } = await sql<{ rotation: string }>`
    select rotation from key_rotation order by receipt desc nulls first, noted_ms desc limit 1`.execute(db)
  const master = rotations[0]?.rotation ?? (await keyInUse(db, 'master')) ?? keys.masterId
  if (keys.masterId !== master) throw older('master key')
  const known = (await keyInUse(db, 'operator')) ?? operator
  if (known !== operator && !former.has(known)) throw older("operator's key")
  await sql`
    insert into key_in_use (use, key) values ('operator', ${operator}), ('master', ${master})
    on conflict (use) do update set key = excluded.key where key_in_use.key <> excluded.key`.execute(db)
}

async function keyInUse(db: Database, use: 'operator' | 'master'): Promise<string | undefined> {
  const { rows } = await sql<{ key: string }>`select key from key_in_use where use = ${use}`.execute(db)
  return rows[0]?.key
}

function older(key: string): Fault {
  return new Fault('fault.parts_apart', {
    what: `The keys and the record are of different moments: the ${key} in the site's folder is not the one that the record was kept with last, or the database is another site's`,
  })
}
