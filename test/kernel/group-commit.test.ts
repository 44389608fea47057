import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GroupCommit } from '../../src/kernel/group-commit.ts'

test('GroupCommit writes together what came while it wrote, and gives everybody their own', async () => {
  const writes: number[][] = []
  const gates: (() => void)[] = []
  const group = new GroupCommit(async (items: readonly number[]) => {
    writes.push([...items])
    const { promise, resolve } = Promise.withResolvers<void>()
    gates.push(resolve)
    await promise
    return items.map((item) => item * 10)
  }, 2)
  const all = [1, 2, 3, 4].map((item) => group.add(item))
  assert.deepEqual(writes, [[1]])
  gates[0]?.()
  assert.equal(await all[0], 10)
  await Promise.resolve()
  assert.deepEqual(writes, [[1], [2, 3]])
  gates[1]?.()
  assert.deepEqual(await Promise.all(all.slice(0, 3)), [10, 20, 30])
  await Promise.resolve()
  gates[2]?.()
  assert.equal(await all[3], 40)
  assert.deepEqual(writes, [[1], [2, 3], [4]])
})

test('GroupCommit fails for those whose write failed, and goes on for the others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (sound) => {
      const group = new GroupCommit(async (items: readonly boolean[]) => {
        await Promise.resolve()
        if (items.includes(false)) throw new Error('refused')
        return items
      }, 1)
      const outcomes = await Promise.allSettled(sound.map((item) => group.add(item)))
      assert.deepEqual(
        outcomes.map(({ status }) => status === 'fulfilled'),
        sound,
      )
    }),
  )
})
