import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GroupCommit, SharedWrite } from '../../src/kernel/group-commit.ts'

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
      // The first comes alone; those who wait are one write, and more only where one of them cannot be written.
      const [, ...waiting] = sound
      const isTogether = waiting.every(Boolean)
      const least = waiting.length === 0 ? [1] : [1, waiting.length]
      assert.deepEqual(writes.slice(0, 2), least)
      assert.equal(writes.length, least.length + (isTogether || waiting.length === 1 ? 0 : waiting.length))
    }),
  )
})
