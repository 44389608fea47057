import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { modeSchema } from '../../../src/protocol/mode.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { demoDataSets as dataSets } from './demo-data-sets.ts'

/*
 * 178 texts that an epidemiologist, an actuary, a product analyst, an engineer of models and others would write over the demonstration's
 * data and the studies', written down before it was looked at which of them are taken. Above each stands its mode and what becomes of it.
 */

const TEXTS = new URL('analyst-texts/', import.meta.url)

interface WrittenText {
  readonly mode: string
  /** `taken`, or where it is declined and how that is said first. */
  readonly verdict: string
  readonly sql: string
}

function textsOf(file: string): readonly WrittenText[] {
  return readFileSync(new URL(file, TEXTS), 'utf8')
    .split(/^-- (?=[a-z]+, )/m)
    .slice(1)
    .map((part) => {
      const [first = '', ...lines] = part.split('\n')
      const [mode = '', ...verdict] = first.split(', ')
      return { mode, verdict: verdict.join(', '), sql: lines.join('\n').trim() }
    })
}

const files = readdirSync(TEXTS)
const texts = files.flatMap(textsOf)

test('there are 178 texts, of which 113 are taken', () => {
  assert.equal(texts.length, 178)
  assert.equal(texts.filter(({ verdict }) => verdict === 'taken').length, 113)
})

for (const file of files)
  test(`${file}: each text has the verdict that is written above it`, () => {
    for (const { mode, verdict, sql } of textsOf(file)) {
      const checked = checkQuestion(sql, { mode: modeSchema.parse(mode), dataSets })
      if (checked.ok) {
        assert.equal('taken', verdict, sql)
        continue
      }
      const { position, detail = '' } = checked.error
      const said = `declined at ${position}: ${detail}`
      assert.ok(verdict !== 'taken' && said.startsWith(verdict), `${sql}\n${said}`)
    }
  })

test('a decline never points to noise where a data set that it names is not asked with it', () => {
  const sql = 'select max(NUMBER) from '
  const detailOf = (text: string): string => {
    const checked = checkQuestion(text, { mode: 'aggregate', dataSets })
    assert.ok(!checked.ok)
    return checked.error.detail ?? ''
  }
  assert.match(
    detailOf(`${sql.replace('NUMBER', 'height')} athletes`),
    /; with noise, mode private .*at character 8$/,
  )
  assert.doesNotMatch(detailOf(`${sql.replace('NUMBER', 'absence_hours')} absences`), /noise|private/)
  assert.match(detailOf('select avg(exp(absence_hours)) from absences'), /around the result, at character 8$/)
})
