import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import { Fault } from '../kernel/faults.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { NetworkKeys } from './network-keys.ts'

/**
 * Notes that a database is this network's, by its first key, which rotations do not change; and refuses one of a network with
 * others. Started on a new machine without its keys a network would make new ones: nobody would follow to them, and what it had
 * signed would verify no more.
 *
 * @throws Fault `fault.key_malformed`
 */
export async function claimDatabase(
  db: Database,
  { keys, directory }: { keys: Pick<NetworkKeys, 'first' | 'signing'>; directory: string },
): Promise<void> {
  const own = keyIdOf(keys.first?.signing ?? keys.signing.publicJwk)
  await sql`insert into network_identity (first_key) values (${own}) on conflict do nothing`.execute(db)
  const { rows } = await sql<{ first_key: string }>`select first_key from network_identity`.execute(db)
  if (rows[0]?.first_key !== own) throw ofOtherKeys(directory)
}

/**
 * Where there are no keys at all none are made for a database that a network has already: they would stand in the way of those that
 * are put in their place.
 *
 * @throws Fault `fault.key_malformed`
 */
export async function requireKeysForDatabase(db: Database, directory: string): Promise<void> {
  if (existsSync(join(directory, 'signing.jwk')) || existsSync(join(directory, 'rotations.json'))) return
  const { rows } = await sql`select from network_identity`.execute(db)
  if (rows.length > 0) throw ofOtherKeys(directory)
}

function ofOtherKeys(directory: string): Fault {
  return new Fault('fault.key_malformed', {
    what: `Cannot serve from this database with the keys in "${directory}": it is that of a network with other keys; put those in their place, from its machine or your backup, or use another database`,
  })
}
