import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { guardAnswer } from '../../../src/site/guard/guard-answer.ts'
import type { AnswerContext } from '../../../src/site/guard/guard-answer.ts'
import { whomToLeaveOut } from '../../../src/site/guard/leave-out.ts'
import { measureDistance } from '../../../src/site/guard/measure-distance.ts'
import { applyChange } from '../../../src/site/guard/partition-delta.ts'
import { RefusedCuts } from '../../../src/site/guard/row-cuts.ts'
import { groupOf, History, range } from './released-history.ts'

const k = 5
const PEOPLE = 120
const everybody = range(0, PEOPLE)
const settings = { minimumGroup: k, dominanceBp: 10_000, groupsMax: 10_000 }

/** Counts what is looked up and found. */
class CountedCuts extends RefusedCuts {
  found = 0

  override find(...asked: Parameters<RefusedCuts['find']>): ReturnType<RefusedCuts['find']> {
    const cut = super.find(...asked)
    if (cut) this.found += 1
    return cut
  }
}

test('who is left out, and how far an answer is, are the same by the cut that was refused as by one made anew', () => {
  let found = 0
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(2 ** 30)), (numbers) => {
      const next = (below: number): number => (numbers.next().value ?? 0) % below
      const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
      for (let told = 0; told < 4; told += 1) {
        const from = next(PEOPLE)
        acquirer.ask({ eligible: everybody, groups: [groupOf('', range(from, PEOPLE))] })
      }
      const isChanged = next(4) === 0
      const { partition } = acquirer
      const before = isChanged ? applyChange(partition, range(next(PEOPLE), PEOPLE)) : partition
      const rows = Array.from({ length: PEOPLE }, () => next(4))
      const groups = [0, 1, 2].map((row) => {
        const people = Bitset.of([...everybody].filter((person) => rows[person] === row))
        return groupOf(`${row}`, people, next(5) === 0 ? people.difference(range(0, 3)) : people)
      })
      const context: AnswerContext = {
        settings,
        partitions: [{ dataSet: 'secrets', partition: before, eligible: everybody }],
        rowShapes: new Map(),
      }
      const refused = new CountedCuts()
      const whole = guardAnswer(groups, { ...context, refused })
      assert.deepEqual(whole.ok, guardAnswer(groups, context).ok)
      const [kept, anew] = [{ ...context, refused }, context].map((one) => {
        const leaving = whomToLeaveOut(groups, one)
        return { ...leaving, people: leaving && [...leaving.people], far: measureDistance(groups, one) }
      })
      assert.deepEqual(kept, anew)
      if (isChanged) assert.ok(refused.found === 0 || whomToLeaveOut(groups, context) !== undefined)
      found += refused.found
    }),
    { numRuns: 150, seed: 20_261_127 },
  )
  assert.ok(found > 50, `only ${found} were found`)
})

test('a cut by other sets, of another partition or in another order is not found', () => {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  acquirer.ask({ eligible: everybody, groups: [groupOf('', everybody)] })
  const { partition } = acquirer
  const groups = [range(0, 60), range(60, PEOPLE - 2)].map((people, row) => groupOf(`${row}`, people))
  const refused = new RefusedCuts()
  const partitions = [{ dataSet: 'secrets', partition, eligible: everybody }]
  guardAnswer(groups, { settings, partitions, rowShapes: new Map(), refused })
  const sets = groups.map(({ people }) => people)
  assert.ok(refused.find(partition, sets))
  assert.equal(refused.find(partition, sets.toReversed()), undefined)
  assert.equal(refused.find(partition, sets.slice(1)), undefined)
  assert.equal(
    refused.find(
      partition,
      sets.map((set) => set.clone()),
    ),
    undefined,
  )
  assert.equal(refused.find({ ...partition }, sets), undefined)
})
