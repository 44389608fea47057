import { after, test } from 'node:test'
import fc from 'fast-check'
import { arbitraryQuestion } from '../site/query/arbitrary-question.ts'
import { POPULATIONS, questionWorld } from '../site/query/question-world.ts'
import type { QuestionWorld } from '../site/query/question-world.ts'

/*
 * The questions of `test/site/query/oracle.test.ts`, 20,000 of them: DuckDB, PostgreSQL and the oracle agree on each. In parts,
 * so that it shows how far it is.
 */

const PARTS = 20
const QUESTIONS = 1_000

const isLong = process.env['HEDGEROW_FAULTS'] !== undefined
let world: QuestionWorld | undefined
after(() => world?.[Symbol.asyncDispose]())

for (let part = 0; part < PARTS; part += 1) {
  test(
    `${QUESTIONS} questions have the answer that their text has where the others never were, part ${part + 1} of ${PARTS}`,
    { skip: isLong ? false : 'long: make faults', timeout: 1_800_000 },
    async () => {
      const { check } = (world ??= await questionWorld())
      await fc.assert(
        fc.asyncProperty(arbitraryQuestion, fc.nat({ max: POPULATIONS - 1 }), ({ sql }, population) =>
          check(sql, population),
        ),
        { seed: 20_261_126 + part, numRuns: QUESTIONS },
      )
    },
  )
}
