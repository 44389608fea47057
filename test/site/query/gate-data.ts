import { checkQuestion } from '../../../src/site/query/check-question.ts'
import type { QuestionParameter } from '../../../src/site/query/check-question.ts'
import type { CheckedQuery } from '../../../src/site/query/bound/bound-query.ts'
import type { Outcome } from '../../../src/protocol/reason.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { testManifest } from './two-engines.ts'

/** The data sets that examples of the gate ask about. */
export const gateManifests = [
  testManifest('athletes', {
    columns: [
      { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'notes', type: 'text', sensitivity: 'free_text' },
      { name: 'sex', type: 'text', values: ['female', 'male'] },
      { name: 'height', type: 'number', bounds: [1, 2.5], unit: 'm', minimumBin: 0.1 },
      { name: 'weight', type: 'number', bounds: [20, 250], unit: 'kg' },
      { name: 'elo', type: 'number' },
      { name: 'gold', type: 'integer', bounds: [0, 10] },
      { name: 'born', type: 'date', minimumBin: 'year' },
      { name: 'active', type: 'boolean' },
    ],
  }),
  testManifest('sessions', {
    rowsMax: 50,
    columns: [
      { name: 'started', type: 'timestamp', minimumBin: 'hour' },
      { name: 'minutes', type: 'integer', bounds: [0, 600] },
      { name: 'place', type: 'text' },
    ],
  }),
  testManifest('wages', {
    issuer: memberIdSchema.parse('employer'),
    columns: [{ name: 'wage', type: 'number', bounds: [0, 100] }],
  }),
] as const

const dataSets = new Map(gateManifests.map((manifest) => [manifest.dataSet, manifest]))

/** What the gate says to a text. */
export function ask(
  sql: string,
  mode: 'aggregate' | 'rows' | 'private' = 'aggregate',
  parameters: readonly QuestionParameter[] = [],
): Outcome<CheckedQuery> {
  return checkQuestion(sql, { mode, dataSets, parameters })
}

/** `approved`, or the code of the decline. */
export function verdict(sql: string, mode: 'aggregate' | 'rows' | 'private' = 'aggregate'): string {
  const checked = ask(sql, mode)
  return checked.ok ? 'approved' : checked.error.code
}
