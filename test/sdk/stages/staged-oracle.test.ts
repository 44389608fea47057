import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Offer } from '../../../src/protocol/offer.ts'
import { planStages } from '../../../src/sdk/stages/plan-stages.ts'
import { fill } from '../../../src/sdk/stages/template.ts'
import type { Template } from '../../../src/sdk/stages/template.ts'
import { writeAnswer } from '../../../src/sdk/stages/write-answer.ts'
import type { WrittenRelease } from '../../../src/sdk/stages/write-answer.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { ENGINES, POPULATIONS, assertSameRows, questionWorld } from '../../site/query/question-world.ts'
import { arbitraryStaged } from './arbitrary-staged.ts'

/*
 * Stages against an oracle that knows nothing of them: the whole text as it was written, on a database that never held the people who
 * are not eligible. With nothing suppressed both give the same rows, on both engines.
 */

const world = await questionWorld()
after(() => world[Symbol.asyncDispose]())

const offers = [...world.manifests.values()].map(
  ({ dataSet, columns, person }): Pick<Offer, 'dataSet' | 'columns' | 'person'> => ({
    dataSet,
    columns,
    person: { key: person.key, rowsMax: person.rowsMax },
  }),
)

type EngineName = (typeof ENGINES)[number]

async function release(engine: EngineName, sql: string, population: number): Promise<WrittenRelease> {
  const checked = checkQuestion(sql, { mode: 'aggregate', dataSets: world.manifests })
  const answer = await world.ask(engine, sql, population)
  if (!checked.ok) assert.fail(`${sql}: ${checked.error.code} ${checked.error.detail}`)
  if (!answer.ok) assert.fail(`${sql}: ${answer.error.code} ${answer.error.detail}`)
  const columns = checked.value.outputs.map(({ name, type }) => ({ name, type }))
  return { columns, rows: answer.value.rows.map((row) => [...row]) }
}

function writtenOut(template: Template, answers: readonly WrittenRelease[]): string {
  return fill(template, (place) => {
    const written = writeAnswer(answers[place.stage - 1] ?? { columns: [], rows: [] }, place)
    if (!written.ok) throw new NothingToAsk(written.error)
    return written.value
  })
}

/** An answer without rows where a value is looked for among several columns: the asker is told. */
class NothingToAsk extends Error {}

async function check(sql: string, population: number): Promise<'answered' | 'told'> {
  const plan = await planStages(sql, offers)
  if (!plan.ok) assert.fail(`${sql}: ${plan.error.why}`)
  const expected = await world.askOracle(sql, population)
  for (const engine of ENGINES) {
    const answers: WrittenRelease[] = []
    try {
      for (const { template } of plan.value.stages)
        answers.push(await release(engine, writtenOut(template, answers), population))
      const { rows } = await release(engine, writtenOut(plan.value.question, answers), population)
      assertSameRows(rows, expected, `${engine}: ${sql}`)
    } catch (error) {
      if (!(error instanceof NothingToAsk)) throw error
      assert.match(error.message, /it has no rows/)
      return 'told'
    }
  }
  return 'answered'
}

test('what is asked in stages is what the text asks where the others never were', async () => {
  const count = { answered: 0, told: 0 }
  await fc.assert(
    fc.asyncProperty(arbitraryStaged, fc.nat({ max: POPULATIONS - 1 }), async (sql, population) => {
      count[await check(sql, population)] += 1
    }),
    { seed: 20_261_127, numRuns: 150 },
  )
  // Only where nobody is eligible, or no group is as it is asked, is there nothing to write out.
  assert.ok(count.answered > 2 * count.told, JSON.stringify(count))
})
