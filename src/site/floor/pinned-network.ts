import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { floorLimitSchema } from '../../protocol/floor-limit.ts'
import type { FloorLimit } from '../../protocol/floor-limit.ts'
import { TYP } from '../../protocol/message-types.ts'
import type { NetworkInfo } from '../../protocol/network-api.ts'

/** The key by which this site knows its network, pinned when it was first seen; `undefined` when another one is said now. */
export async function pinNetworkKey(
  db: Database,
  { info, now }: { info: Pick<NetworkInfo, 'name' | 'signing'>; now: Instant },
): Promise<PublicJwk | undefined> {
  await sql`
    insert into pinned_network (name, signing, seen_ms) values (${info.name}, ${JSON.stringify(info.signing)}::jsonb, ${now})
    on conflict do nothing`.execute(db)
  const { rows } = await sql<{ name: string; signing: PublicJwk }>`
    select name, signing from pinned_network`.execute(db)
  const pinned = rows[0]
  const isSame = pinned?.name === info.name && keyIdOf(pinned.signing) === keyIdOf(info.signing)
  return isSame ? pinned.signing : undefined
}

/** A floor limit that the network signed for this site; `undefined` when it did not. */
export function openFloorLimit(
  statement: string,
  { key, network, site }: { key: PublicJwk; network: string; site: string },
): FloorLimit | undefined {
  const verified = verifyJws(statement, {
    typ: TYP.floorLimit,
    keyFor: (keyId) => (keyIdOf(key) === keyId ? key : undefined),
  })
  const parsed = verified.ok ? floorLimitSchema.safeParse(parse(verified.value.payload)) : undefined
  const limit = parsed?.success === true ? parsed.data : undefined
  return limit?.network === network && limit.site === site ? limit : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
