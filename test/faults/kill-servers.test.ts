import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killAndRestart } from './kill-and-restart.ts'

/** More seeds and kills in `make faults` than beside the other tests. */
const isLong = process.env['HEDGEROW_FAULTS'] !== undefined
const SEEDS = isLong ? ['1', '2', '3', '4'] : ['1']
const KILLS = isLong ? 8 : 2

for (const seed of SEEDS) {
  test(
    `servers killed ${KILLS} times under load lose nothing and do nothing twice (seed ${seed})`,
    { timeout: 600_000 },
    async () => {
      const survived = await killAndRestart({ seed, kills: KILLS }, process.env)
      assert.ok(survived.approved > 0 && survived.batches > 1, JSON.stringify(survived))
    },
  )
}
