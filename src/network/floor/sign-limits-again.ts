import { sql } from 'kysely'
import { isGoodJws, peekJws, signJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { NetworkKeys } from '../network-keys.ts'
import { findFloorLimits } from './floor-store.ts'

/**
 * Signs open floor limits with the present key after the keys were rotated: sites believe the present key alone of what they
 * have not seen before, so that one that leaked gives no limits. Only what a former key did sign is signed again.
 */
export async function signLimitsAgain(
  db: Database,
  { signing, formerSigning }: Pick<NetworkKeys, 'signing' | 'formerSigning'>,
): Promise<void> {
  if (formerSigning.length === 0) return
  const keyFor = (keyId: string) => formerSigning.find((key) => keyIdOf(key) === keyId)
  for (const { id, statement } of await findFloorLimits(db, sql`f.is_open`)) {
    const seen = peekJws(statement)
    if (!seen || !isGoodJws(statement, { typ: TYP.floorLimit, seen, keyFor })) continue
    const again = signJws(seen.payload, { typ: TYP.floorLimit, key: signing })
    await sql`update floor_limit set statement = ${again} where id = ${id}`.execute(db)
  }
}
