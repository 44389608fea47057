import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Mutex } from '../../src/kernel/mutex.ts'

test('a Mutex runs one thing at a time, in order, also after one has failed', async () => {
  const mutex = new Mutex()
  const seen: string[] = []
  let inside = 0
  const step = (name: string, isFailing = false) =>
    mutex.run(async () => {
      inside += 1
      assert.equal(inside, 1)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      seen.push(name)
      if (isFailing) throw new Error(name)
      return name
    })
  const outcomes = await Promise.allSettled([step('one'), step('two', true), step('three')])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(seen, ['one', 'two', 'three'])
})
