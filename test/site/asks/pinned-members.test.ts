import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { instant } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { signKeyRotation } from '../../../src/protocol/proof/key-chain.ts'
import { memberSchema } from '../../../src/protocol/member.ts'
import type { Member } from '../../../src/protocol/member.ts'
import { PinnedMembers } from '../../../src/site/asks/pinned-members.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

const time = '2026-11-24T00:00:00.000Z'
const now = instant(Date.parse(time))

function pair() {
  const signing = generateKeyPair('Ed25519')
  const sealing = generateKeyPair('X25519')
  return { signing, keys: { signing: signing.publicJwk, sealing: sealing.publicJwk } }
}

/** A member that has rotated its keys `rotations` times. */
function chainOf(pairs: readonly ReturnType<typeof pair>[]): (rotations: number) => Member {
  const links = pairs.slice(1).map(({ keys }, index) => {
    const key = pairs[index]?.signing
    assert.ok(key)
    return signKeyRotation({ member: 'northcare', next: keys, time, key })
  })
  return (rotations) =>
    memberSchema.parse({
      id: 'northcare',
      name: 'North Care',
      country: 'IE',
      roles: ['acquirer'],
      firstKeys: pairs[0]?.keys,
      keys: pairs[rotations]?.keys,
      rotations: links.slice(0, rotations),
    })
}

test('PinnedMembers believes the first keys it saw and what they lead to, after a restart too', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const pairs = [pair(), pair(), pair()]
  const northcare = chainOf(pairs)
  const impostor = chainOf([pair(), pair(), pair()])
  const pins = new PinnedMembers(db)
  const keysOf = async (store: PinnedMembers, member: Member) => {
    const pinned = await store.pin({ member, now })
    return pinned.ok ? pinned.value : pinned.error.code
  }
  assert.deepEqual(await keysOf(pins, northcare(0)), pairs[0]?.keys)
  // From memory and from the record alike.
  for (const store of [pins, new PinnedMembers(db)]) {
    assert.equal(await keysOf(store, impostor(0)), 'declined.signature')
    assert.equal(await keysOf(store, { ...northcare(1), keys: northcare(0).keys }), 'declined.signature')
    assert.deepEqual(await keysOf(store, northcare(0)), pairs[0]?.keys)
  }
  assert.deepEqual(await keysOf(pins, northcare(1)), pairs[1]?.keys)
  for (const store of [pins, new PinnedMembers(db)]) {
    assert.equal(await keysOf(store, northcare(0)), 'declined.signature', 'an older chain')
    assert.deepEqual(await keysOf(store, northcare(1)), pairs[1]?.keys)
    assert.equal(await keysOf(store, impostor(2)), 'declined.signature')
  }
})

test('of asks at once the one with the longer chain decides what is believed from then on', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const pairs = [pair(), pair(), pair()]
  const northcare = chainOf(pairs)
  const pins = new PinnedMembers(db)
  assert.ok((await pins.pin({ member: northcare(0), now })).ok)
  await Promise.all([2, 1].map((rotations) => pins.pin({ member: northcare(rotations), now })))
  for (const store of [pins, new PinnedMembers(db)]) {
    assert.equal((await store.pin({ member: northcare(1), now })).ok, false)
    assert.ok((await store.pin({ member: northcare(2), now })).ok)
  }
})

test('a chain that takes another way from a key that leaked is not believed, however long it is', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const [a, b, c, d] = [pair(), pair(), pair(), pair()]
  const northcare = chainOf([a, b, c])
  const fork = chainOf([a, d, c])
  const pins = new PinnedMembers(db)
  assert.ok((await pins.pin({ member: northcare(1), now })).ok)
  for (const store of [pins, new PinnedMembers(db)]) {
    assert.equal((await store.pin({ member: fork(1), now })).ok, false)
    assert.equal((await store.pin({ member: fork(2), now })).ok, false)
  }
  // What was pinned before chains were kept is held by its length, until it is seen again.
  await sql`update pinned_member set rotations = null`.execute(db)
  const later = new PinnedMembers(db)
  assert.equal((await later.pin({ member: northcare(0), now })).ok, false)
  assert.ok((await later.pin({ member: northcare(1), now })).ok)
  assert.equal((await new PinnedMembers(db).pin({ member: fork(2), now })).ok, false)
})
