import { after, test } from 'node:test'
import fc from 'fast-check'
import { arbitraryQuestion } from './arbitrary-question.ts'
import { arbitraryRowsQuestion } from './arbitrary-rows-question.ts'
import { decidedSums, decidedSumsOfSessions, spreadsOfSums } from './arbitrary-sum.ts'
import { POPULATIONS, questionWorld } from './question-world.ts'

/*
 * The gate against an oracle that knows nothing of it: the text as it was sent, on a database that never held the
 * people who are not eligible. With nothing suppressed both give the same rows, on both engines. `make faults` asks
 * many more.
 */

const world = await questionWorld()
after(() => world[Symbol.asyncDispose]())

test('on both engines the gate gives what the text gives where the others never were', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryQuestion, fc.nat({ max: POPULATIONS - 1 }), async ({ sql }, population) => {
      await world.check(sql, population)
    }),
    { seed: 20_261_124, numRuns: 400 },
  )
})

test('the same of rows that are made of each person’s own', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryRowsQuestion, fc.nat({ max: POPULATIONS - 1 }), async (sql, population) => {
      await world.checkRows(sql, population)
    }),
    { seed: 20_261_128, numRuns: 60 },
  )
})

test('the same of sums that are taken apart', async () => {
  const sums = fc.oneof(decidedSums, decidedSums, decidedSumsOfSessions, spreadsOfSums)
  await fc.assert(
    fc.asyncProperty(sums, fc.nat({ max: POPULATIONS - 1 }), (sql, population) =>
      world.check(sql, population),
    ),
    { seed: 20_261_129, numRuns: 40 },
  )
})

test('of products of sums each part is of the rows where all of it is there, and of nothing no rounding is left', async () => {
  const sql = `select sex as k, sum((height - 1.5) * (gold - 1)) as m, avg((height - gold) * (height + gold)) as n,
    stddev_pop(3.3 * height - height - 2.3 * height) as o from athletes a group by 1`
  await world.check(sql, 0)
})
