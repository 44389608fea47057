import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { AccountTurns } from '../../../src/site/privacy/account-turns.ts'

test('nobody uses an account while it is joined, and then the joint one; others are not in the way', async () => {
  const turns = new AccountTurns()
  const seen: string[] = []
  const acting = Promise.withResolvers<void>()
  const before = await turns.use('birch')
  const join = turns.join({ into: 'atlas', from: ['birch'] }, async () => {
    seen.push('joining')
    await acting.promise
    seen.push('joined')
  })
  const meanwhile = turns.use('birch').then((use) => {
    seen.push(`used ${use.account}`)
    use[Symbol.dispose]()
  })
  assert.equal((await turns.use('cedar')).account, 'cedar')
  assert.deepEqual(seen, [], 'the join waits for who uses one of them')
  before[Symbol.dispose]()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(seen, ['joining'], 'and whoever comes meanwhile for the join')
  acting.resolve()
  await join
  await meanwhile
  assert.deepEqual(seen, ['joining', 'joined', 'used atlas'])
})
