import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnSize } from '../../src/kernel/turn-size.ts'

test('a turn takes about as long as it may, and one that was short or slow by chance changes little', () => {
  const size = new TurnSize({ goalMs: 10, first: 100, countMin: 1, countMax: 1_000 })
  size.took(100, 20)
  assert.equal(size.count, 50, 'half as long, half as many')
  size.took(50, 5_000)
  assert.equal(size.count, 25, 'a pause halves it at most')
  for (let turn = 0; turn < 100; turn += 1) size.took(size.count, size.count * 2)
  assert.equal(size.count, 5, 'two milliseconds each')
  size.took(1, 1)
  assert.equal(size.count, 5, 'the last one, which had less to do, says nothing')
  size.took(2, 40)
  assert.equal(size.count, 3, 'but where even that was slow')
  for (let turn = 0; turn < 10; turn += 1) size.took(size.count, 0)
  assert.equal(size.count, 1_000)
  for (let turn = 0; turn < 20; turn += 1) size.took(size.count, 1_000)
  assert.equal(size.count, 1, 'never none')
})

test('turns that take long however few are done in them are not made more of', () => {
  const size = new TurnSize({ goalMs: 10, first: 100, countMin: 32, countMax: 1_000 })
  // Twenty milliseconds for whatever is done, and next to nothing for each.
  for (let turn = 0; turn < 50; turn += 1) size.took(size.count, 20 + size.count / 100)
  assert.equal(size.count, 32)
  for (let turn = 0; turn < 50; turn += 1) size.took(size.count, 2 + size.count / 100)
  assert.ok(size.count >= 500, `as many as fit once that costs less, ${size.count}`)
})
