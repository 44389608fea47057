import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnSize } from '../../src/kernel/turn-size.ts'

test('a turn takes about as long as it may, and one that was short or slow by chance changes little', () => {
  const size = new TurnSize({ goalMs: 10, first: 100, countMax: 1_000 })
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
