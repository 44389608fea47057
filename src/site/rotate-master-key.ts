import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { monotonicMs } from '../kernel/clock.ts'
import { Fault } from '../kernel/faults.ts'
import type { Log } from '../kernel/log.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { PurgedTables } from '../kernel/postgres/purge-tables.ts'
import { purgeTables } from '../kernel/postgres/purge-tables.ts'
import type { Random } from '../kernel/random.ts'
import { openReceiptLog } from '../transparency/receipt-log.ts'
import { siteDirectory } from './config.ts'
import type { SiteSettings } from './config.ts'
import {
  destroyRetired,
  makeNextMaster,
  masterFiles,
  readMasterKey,
  rotationUnderWay,
  swapMaster,
} from './master-key.ts'
import type { MasterFiles } from './master-key.ts'
import { VaultMark } from './one-moment.ts'
import { openMigratedRecord } from './open-record.ts'
import { renewGuardianMarks } from './principals/guardianship-store.ts'
import { resealAnswers } from './privacy/private-answers.ts'
import { readSiteKeys } from './site-keys.ts'
import { lookupUnder, newestLookup } from './vault/keys/lookup-digest.ts'
import { openVault } from './vault/open-vault.ts'
import { requireKeysUnder, rewrapKeys } from './vault/keys/rewrap-keys.ts'
import type { Vault } from './vault/vault.ts'

/** Says how far it is; a test stops it there. */
export type MasterRotationStep =
  | 'made'
  | 'keys'
  | 'record'
  | 'vault'
  | 'swapped'
  | 'purged'
  | 'noted'
  | 'ended'

/** A site that is stopped, and whose directory the caller has locked. */
export interface MasterRotation {
  readonly root: string
  readonly settings: SiteSettings
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** Told how many people's keys are wrapped anew. */
  readonly onProgress?: ((keys: number) => void) | undefined
  readonly onStep?: ((step: MasterRotationStep) => void | Promise<void>) | undefined
}

/** What a rotation did. */
export interface RotatedMaster extends PurgedTables {
  /** People's keys that are under the new key. */
  readonly keys: number
  /** What wrapping them took. */
  readonly wrappingMs: number
}

/**
 * Replaces the master key of a site that is stopped, and everything that is under it: people's keys are wrapped anew, the
 * digests by which people and guardians are found are hashed under a new lookup key, kept answers are sealed anew. The
 * new key is on the disk before anything is under it, and takes the place of the old one when all is: one step. Then no
 * file has anything under the old key any more, a receipt says so, and the old key is destroyed. Each step can be done again, so
 * that whoever is cut off goes on, by the same command or by starting the site.
 *
 * Pairwise pseudonyms stay what they are: their key goes along.
 *
 * @throws Fault `fault.key_missing`, `fault.key_exposed`, `fault.key_malformed`
 */
export async function rotateMasterKey(rotation: MasterRotation): Promise<RotatedMaster> {
  const { root, settings, clock, log, random } = rotation
  const directory = siteDirectory(root)
  const files = masterFiles(directory.keys)
  await using postgres = await openMigratedRecord({ root, settings, log })
  const { db } = postgres
  if ((await rotationUnderWay(files)) === undefined) {
    // What is under another could never be wrapped anew.
    await requireKeysUnder(db, (await readMasterKey(files.present)).wrapping, underAnother)
    await makeNextMaster(files, random)
  }
  await rotation.onStep?.('made')
  const limits = { memoryMiB: settings.vault.memoryMb, threads: settings.vault.threads }
  await using vault = await openVault({ directory: directory.vault, clock, limits })
  await VaultMark.open({ db, vault, random })
  const begunMs = monotonicMs()
  let keys = 0
  if ((await rotationUnderWay(files)) === 'begun') {
    keys = await moveOver(rotation, { files, db, vault })
    await swapMaster(files)
    await rotation.onStep?.('swapped')
  }
  const wrappingMs = monotonicMs() - begunMs
  return { ...(await end(rotation, { files, db, vault })), keys, wrappingMs }
}

function underAnother(): Fault {
  return new Fault('fault.key_malformed', {
    what: 'Cannot replace the master key: the keys of people are not all under the one that is there; restore the right one from your backup',
  })
}

/** Finishes a rotation that was cut off; gives whether there was one. */
export async function finishMasterRotation(rotation: MasterRotation): Promise<boolean> {
  const isUnderWay = (await rotationUnderWay(masterFiles(siteDirectory(rotation.root).keys))) !== undefined
  if (isUnderWay) await rotateMasterKey(rotation)
  return isUnderWay
}

interface Opened {
  readonly files: MasterFiles
  readonly db: Database
  readonly vault: Vault
}

/** Puts everything under the next key; each part knows whether it was done before. */
async function moveOver(
  { clock, random, onProgress, onStep }: MasterRotation,
  { files, db, vault }: Opened,
): Promise<number> {
  const [from, to] = [await readMasterKey(files.present), await readMasterKey(files.next)]
  const keys = await rewrapKeys(db, { from: from.wrapping, to: to.wrapping, random, onProgress })
  await onStep?.('keys')
  const key = newestLookup(to.lookup)
  const next = (before: Uint8Array) => lookupUnder(before, key)
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql`
      insert into key_rotation (rotation, noted_ms) values (${to.id}, ${clock.now()})
      on conflict (rotation) do nothing returning rotation`.execute(tx)
    if (rows.length === 0) return
    await renewGuardianMarks(tx, next)
    await resealAnswers(tx, { from: from.answers, to: to.answers, random })
  })
  await onStep?.('record')
  await vault.renewLookups({ id: to.id, next })
  await onStep?.('vault')
  return keys
}

/** Removes what is under the old key from every file, says so in a receipt, and destroys it. */
async function end(
  { root, settings, clock, onStep }: MasterRotation,
  { files, db, vault }: Opened,
): Promise<PurgedTables> {
  await vault.compact()
  const purged = await purgeTables(db, ['person_key', 'guardianship', 'private_answer'])
  await onStep?.('purged')
  const { id } = await readMasterKey(files.present)
  const { signing, former } = await readSiteKeys(siteDirectory(root).keys)
  const signer = { name: settings.site, key: signing, formerKeys: former.signing }
  const receipts = await openReceiptLog({ db, directory: root, signer, clock })
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql`
      select rotation from key_rotation where rotation = ${id} and receipt is null for update`.execute(tx)
    if (rows.length === 0) return
    const [receipt] = await receipts.issue(tx, [{ kind: 'rotation', rotated: 'master' }])
    await sql`update key_rotation set receipt = ${receipt?.sequence ?? null} where rotation = ${id}`.execute(
      tx,
    )
  })
  await receipts.publish()
  await onStep?.('noted')
  await destroyRetired(files)
  await onStep?.('ended')
  return purged
}
