import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { onceUnderWay } from '../../src/kernel/clock.ts'
import { GroupCommit, SharedWrite } from '../../src/kernel/group-commit.ts'

test('GroupCommit writes together what came in one turn or while it wrote, and gives everybody their own', async () => {
  const writes: number[][] = []
  const gates: (() => void)[] = []
  const group = new GroupCommit(async (items: readonly number[]) => {
    writes.push([...items])
    const { promise, resolve } = Promise.withResolvers<void>()
    gates.push(resolve)
    await promise
    return items.map((item) => item * 10)
  }, 2)
  const all = [1, 2, 3].map((item) => group.add(item))
  await onceUnderWay()
  assert.deepEqual(writes, [[1, 2]], 'no more than two at a time')
  all.push(group.add(4))
  gates[0]?.()
  assert.deepEqual(await Promise.all(all.slice(0, 2)), [10, 20])
  await onceUnderWay()
  assert.deepEqual(writes, [
    [1, 2],
    [3, 4],
  ])
  gates[1]?.()
  assert.deepEqual(await Promise.all(all.slice(2)), [30, 40])
  all.push(group.add(5))
  await onceUnderWay()
  gates[2]?.()
  assert.equal(await all[4], 50)
  assert.deepEqual(writes, [[1, 2], [3, 4], [5]])
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

test('SharedWrite writes together what it can, and nobody fails by another', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (sound) => {
      const writes: number[] = []
      const line = new SharedWrite(async (items: readonly boolean[]) => {
        writes.push(items.length)
        await Promise.resolve()
        if (items.includes(false)) throw new Error('refused')
        return items
      }, 20)
      const outcomes = await Promise.allSettled(sound.map((item) => line.add(item)))
      assert.deepEqual(
        outcomes.map(({ status }) => status === 'fulfilled'),
        sound,
      )
      // All who come in one turn are one write, and more only where one of them cannot be written.
      const isTogether = sound.every(Boolean)
      assert.equal(writes[0], sound.length)
      assert.equal(writes.length, isTogether || sound.length === 1 ? 1 : 1 + sound.length)
    }),
  )
})
