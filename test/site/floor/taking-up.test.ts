import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatInstant, later, systemClock } from '../../../src/kernel/clock.ts'
import { money } from '../../../src/kernel/money.ts'
import { floorLimitSchema } from '../../../src/protocol/floor-limit.ts'
import { localAskActs } from '../../../src/site/doors/local-ask-acts.ts'
import { keepFloorLimit } from '../../../src/site/floor/floor-store.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

test('a limit that is shown as open is answered on: one that is just being taken up is not shown yet', async () => {
  await using bare = await bareSite()
  const { site } = bare
  const now = systemClock.now()
  const limit = floorLimitSchema.parse({
    id: `flr_${'0'.repeat(26)}`,
    network: 'network',
    site: 'galway',
    acquirer: 'northcare',
    amount: { amount: 1_000, currency: 'EUR' },
    validFrom: formatInstant(now),
    validUntil: formatInstant(later(now, 86_400_000)),
    clearUntil: formatInstant(later(now, 2 * 86_400_000)),
  })
  const acts = localAskActs({
    site,
    answer: () => Promise.reject(new Error('nothing is asked')),
    booked: () => undefined,
  })
  const shown = async () => (await acts.floorLimits({ limit: 10 })).items.map(({ state }) => state)
  const isHeld = () => site.floor.hold('northcare', money(100, 'EUR'), now) !== undefined

  await keepFloorLimit(site.db, { limit, statement: 'a statement' })
  assert.deepEqual([await shown(), isHeld()], [[], false])
  await site.floor.take(limit, 'a statement')
  assert.deepEqual([await shown(), isHeld()], [['open'], true])
  await site.floor.close(limit.id, now)
  assert.deepEqual([await shown(), isHeld()], [['closed'], false])
})
