import { checkQuestion } from '../../../../../src/site/query/check-question.ts'
import { testManifest } from '../../two-engines.ts'

/** A data set whose columns have least widths of bins. */
export const manifest = testManifest('people', {
  dimensionsMax: 4,
  columns: [
    { name: 'height', type: 'number', minimumBin: 0.1 },
    { name: 'age', type: 'integer', minimumBin: 5 },
    { name: 'medals', type: 'integer' },
    { name: 'born', type: 'date', minimumBin: 'year' },
    { name: 'seen', type: 'timestamp', minimumBin: 'hour' },
    { name: 'visited', type: 'date' },
    { name: 'weight', type: 'number' },
    { name: 'town', type: 'text' },
    { name: 'tall', type: 'number', bounds: [1.2, 2.3], minimumBin: 0.1 },
    { name: 'mass', type: 'number', bounds: [25, 180], minimumBin: 5 },
    { name: 'cm', type: 'integer', bounds: [120, 230], minimumBin: 10 },
    { name: 'day', type: 'date', minimumBin: 'week' },
    { name: 'share', type: 'number', bounds: [1, 9] },
    { name: 'tags', type: 'text[]' },
  ],
})

/** What becomes of a question that groups by these keys: `approved`, or why not, in words. */
export function verdictOf(...keys: readonly string[]): string {
  const checked = checkQuestion(
    `select ${keys.join(', ')}, count(*) from people group by ${keys.map((_, index) => index + 1).join(', ')}`,
    { mode: 'aggregate', dataSets: new Map([['people', manifest]]) },
  )
  return checked.ok ? 'approved' : `${checked.error.code} ${checked.error.detail}`
}

/** What becomes of a question: `approved`, or the code of why not. */
export function codeOf(sql: string): string {
  const checked = checkQuestion(sql, {
    mode: 'aggregate',
    dataSets: new Map([['people', manifest]]),
  })
  return checked.ok ? 'approved' : checked.error.code
}
