import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { floorLimitSchema } from '../../protocol/floor-limit.ts'
import type { FloorLimit } from '../../protocol/floor-limit.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { NetworkInfo } from '../../protocol/http/network-api.ts'
import { continuesChain, networkKeySets } from '../../protocol/proof/network-keys.ts'

/**
 * The key by which this site knows its network: pinned when it was first seen, followed since by rotations that the network signed;
 * `undefined` when another one is said now. `byHand` is the key that the operator of the site compared and set; it is never followed.
 */
export async function pinNetworkKey(
  db: Database,
  { info, now, byHand }: { info: SeenNetwork; now: Instant; byHand?: string | undefined },
): Promise<PublicJwk | undefined> {
  const { name, signing, firstKeys, rotations } = info
  if (byHand !== undefined && byHand !== signing.x) return undefined
  const first = firstKeys?.signing ?? signing
  if (!leadsTo(info)) return undefined
  await sql`
    insert into pinned_network (name, signing, rotations, seen_ms)
    values (${name}, ${JSON.stringify(first)}::jsonb, ${JSON.stringify(rotations)}::jsonb, ${now})
    on conflict do nothing`.execute(db)
  const { rows } = await sql<{ name: string; signing: PublicJwk; rotations: readonly string[] }>`
    select name, signing, rotations from pinned_network`.execute(db)
  const pinned = rows[0]
  const isSame = pinned?.name === name && keyIdOf(pinned.signing) === keyIdOf(first)
  if (!isSame || !continuesChain(pinned.rotations, rotations)) return undefined
  if (rotations.length > pinned.rotations.length) {
    await sql`update pinned_network set rotations = ${JSON.stringify(rotations)}::jsonb`.execute(db)
  }
  return signing
}

type SeenNetwork = Pick<NetworkInfo, 'name' | 'signing' | 'firstKeys' | 'rotations'>

/** Whether the rotations lead from the first keys to the present one. */
function leadsTo({ name, signing, firstKeys, rotations }: SeenNetwork): boolean {
  if (!firstKeys) return rotations.length === 0
  const sets = networkKeySets(name, firstKeys, rotations)
  const last = sets.ok ? sets.value.at(-1) : undefined
  return last !== undefined && keyIdOf(last.signing) === keyIdOf(signing)
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
  const parsed = verified.ok ? floorLimitSchema.safeParse(parseJson(verified.value.payload)) : undefined
  const limit = parsed?.success === true ? parsed.data : undefined
  return limit?.network === network && limit.site === site ? limit : undefined
}
