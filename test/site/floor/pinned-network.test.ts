import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { signNetworkRotation } from '../../../src/protocol/proof/network-keys.ts'
import { pinNetworkKey } from '../../../src/site/floor/pinned-network.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

const now = instant(Date.UTC(2026, 10, 27))

/** What a network says of itself that signed with these keys one after the other. */
function infoOf(chain: readonly KeyPair[], name = 'network') {
  const [first, last] = [chain[0], chain.at(-1)]
  assert.ok(first && last)
  const setOf = ({ publicJwk }: KeyPair) => ({ signing: publicJwk, witness: publicJwk })
  const rotations = chain.slice(1).map((to, index) =>
    signNetworkRotation({
      network: 'network',
      next: setOf(to),
      time: '2026-11-27T00:00:00Z',
      key: chain[index] ?? first,
    }),
  )
  return {
    name,
    signing: last.publicJwk,
    rotations,
    ...(rotations.length > 0 ? { firstKeys: setOf(first) } : {}),
  }
}

test('pinNetworkKey() follows the rotations of the network and nobody else', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const [a, b, c, d, stranger] = Array.from({ length: 5 }, () => generateKeyPair('Ed25519'))
  assert.ok(a && b && c && d && stranger)
  const pin = (info: ReturnType<typeof infoOf>, byHand?: string) => pinNetworkKey(db, { info, now, byHand })
  assert.deepEqual(await pin(infoOf([a])), a.publicJwk)
  assert.deepEqual(await pin(infoOf([a, b])), b.publicJwk)
  const refused = [
    infoOf([a]),
    infoOf([stranger]),
    infoOf([stranger, c]),
    infoOf([a, d]),
    infoOf([a, d, c]),
    infoOf([a, b], 'elsewhere'),
    { ...infoOf([a, b]), signing: stranger.publicJwk },
    { ...infoOf([a, b, c]), rotations: infoOf([a, b]).rotations },
  ]
  for (const [index, info] of refused.entries()) assert.equal(await pin(info), undefined, `case ${index}`)
  assert.deepEqual(await pin(infoOf([a, b, c])), c.publicJwk)
  // A key that was set by hand is the only one, though a rotation leads on.
  assert.deepEqual(await pin(infoOf([a, b, c]), c.publicJwk.x), c.publicJwk)
  assert.equal(await pin(infoOf([a, b, c, d]), c.publicJwk.x), undefined)
})
