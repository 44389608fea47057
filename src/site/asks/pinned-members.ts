import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { isWeakPoint } from '../../kernel/crypto/weak-points.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { followKeyChain, isSameKeySet } from '../../protocol/proof/key-chain.ts'
import type { KeySet, Member } from '../../protocol/member.ts'
import { continuesChain } from '../../protocol/proof/network-keys.ts'
import { memberRecordSchema } from '../../protocol/http/network-api.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { ok } from '../../kernel/result.ts'

/** Pins that are kept in memory: half a kilobyte each. */
const PINS_KEPT_MAX = 10_000

/**
 * The members that this site has seen, with what it believes of their keys. What was read or written once is kept in memory:
 * a pin is never taken back and moves forward only, by this process alone (the directory is locked).
 */
export class PinnedMembers {
  readonly #db: Database
  readonly #kept = new Map<string, Pin>()

  constructor(db: Database) {
    this.#db = db
  }

  /**
   * The keys of a member, as this site believes them: the first set is pinned when the member is first seen, later sets
   * must follow from it by rotations that the member signed. The network carries member records, but it cannot put
   * keys of its own in their place and so read a release (security model: who is trusted with what).
   */
  async pin({ member, now }: { member: Member; now: Instant }): Promise<Outcome<KeySet>> {
    const { id, name, firstKeys, rotations, keys } = member
    const present = followKeyChain(id, firstKeys, rotations)
    if (!present.ok || !isSameKeySet(present.value, keys)) {
      return declined('declined.signature', {
        operatorNote: 'the key chain of the member does not lead to its keys',
      })
    }
    if (isWeakPoint(keys.sealing)) {
      return declined('declined.signature', {
        operatorNote: 'anybody could open what is sealed to the member',
      })
    }
    const pinned = this.#kept.get(id) ?? (await this.#read(member, now))
    if (!isSameKeySet(pinned.first_keys, firstKeys)) {
      return declined('declined.signature', {
        operatorNote: 'the first keys of the member are not the pinned ones',
      })
    }
    if (pinned.rotation_count > rotations.length) {
      return declined('declined.signature', {
        operatorNote: 'the key chain of the member is older than one seen before',
      })
    }
    // A key that leaked after it was rotated away could sign another way on.
    if (!continuesChain(pinned.rotations ?? [], rotations)) {
      return declined('declined.signature', {
        operatorNote: 'the key chain of the member takes another way than the one seen before',
      })
    }
    if (pinned.rotation_count < rotations.length || pinned.rotations === null) {
      await followPin(this.#db, member)
      this.#keep(id, { ...pinned, rotation_count: rotations.length, rotations })
    }
    if (pinned.name !== name) {
      await sql`update pinned_member set name = ${name} where id = ${id}`.execute(this.#db)
      this.#keep(id, { ...(this.#kept.get(id) ?? pinned), name })
    }
    return ok(present.value)
  }

  async #read(member: Member, now: Instant): Promise<Pin> {
    const pin = (await findPin(this.#db, member.id)) ?? (await makePin(this.#db, { member, now }))
    this.#keep(member.id, pin)
    return pin
  }

  /** Keeps a member as the network describes it now, so that its asks can be judged while the network is away. */
  async remember({ member, now }: { member: MemberRecord; now: Instant }): Promise<Outcome<KeySet>> {
    const pinned = await this.pin({ member, now })
    if (pinned.ok) {
      await sql`
        update pinned_member set record = ${JSON.stringify(member)}::jsonb where id = ${member.id}`.execute(
        this.#db,
      )
    }
    return pinned
  }

  /** A member as the network last described it; `undefined` when it never did, or its keys do not follow from those pinned. */
  async record(id: string, now: Instant): Promise<MemberRecord | undefined> {
    const { rows } = await sql<{ record: unknown }>`
      select record from pinned_member where id = ${id} and record is not null`.execute(this.#db)
    const parsed = memberRecordSchema.safeParse(rows[0]?.record)
    if (!parsed.success) return undefined
    const pinned = await this.pin({ member: parsed.data, now })
    return pinned.ok ? parsed.data : undefined
  }

  /** Whether a name or a signing key is of a member that asked here. */
  async isMember({ id, signing }: { id: string; signing: PublicJwk }): Promise<boolean> {
    const key = JSON.stringify(signing)
    const { rows } = await sql`
      select 1 from pinned_member
      where id = ${id} or first_keys -> 'signing' = ${key}::jsonb or record -> 'keys' -> 'signing' = ${key}::jsonb
      limit 1`.execute(this.#db)
    return rows.length > 0
  }

  /** Of two asks at once the one with the longer chain stays, whichever comes last. */
  #keep(member: string, pin: Pin): void {
    if (pin.rotation_count < (this.#kept.get(member)?.rotation_count ?? 0)) return
    if (this.#kept.size >= PINS_KEPT_MAX) this.#kept.clear()
    this.#kept.set(member, pin)
  }
}

interface Pin {
  readonly first_keys: KeySet
  /** What it calls itself, which binds nobody. */
  readonly name: string | null
  readonly rotation_count: number
  /** `null` in what was pinned before they were kept. */
  readonly rotations: readonly string[] | null
}

async function findPin(db: Database, member: string): Promise<Pin | undefined> {
  const { rows } = await sql<Pin>`
    select first_keys, rotation_count, rotations, name from pinned_member where id = ${member}`.execute(db)
  return rows[0]
}

/** Pins a member at first sight; of two asks at once the first pins. */
async function makePin(db: Database, { member, now }: { member: Member; now: Instant }): Promise<Pin> {
  const { firstKeys, rotations } = member
  const made = { first_keys: firstKeys, rotation_count: rotations.length, rotations, name: null }
  await sql`
    insert into pinned_member (id, first_keys, rotation_count, rotations, seen_ms)
    values (${member.id}, ${JSON.stringify(firstKeys)}::jsonb, ${rotations.length}, ${JSON.stringify(rotations)}::jsonb, ${now})
    on conflict do nothing`.execute(db)
  return (await findPin(db, member.id)) ?? made
}

/** Remembers how far a chain went, so that an older one is not believed again. */
async function followPin(db: Database, { id, rotations }: Member): Promise<void> {
  await sql`
    update pinned_member set rotation_count = ${rotations.length}, rotations = ${JSON.stringify(rotations)}::jsonb
    where id = ${id} and (rotation_count < ${rotations.length} or (rotations is null and rotation_count = ${rotations.length}))`.execute(
    db,
  )
}
