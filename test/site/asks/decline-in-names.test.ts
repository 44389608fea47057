import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { declineInNames } from '../../../src/site/asks/decline-in-names.ts'
import { testManifest } from '../../../src/testing/test-population.ts'

const manifests = new Map([['athletes', manifestSchema.parse(testManifest('athletes'))]])
const detailOf = (detail: string, text: string) =>
  declineInNames({ code: 'declined.column', detail }, { text, manifests }).detail

test('declineInNames() quotes bare words of the question and public names', () => {
  const text = 'select sum(heigth) from athletes'
  assert.equal(detailOf('There is no column "heigth"', text), 'There is no column "heigth"')
  assert.equal(detailOf('There is no column "HEIGTH"', text), 'There is no column "HEIGTH"')
  assert.equal(
    detailOf('Column "athletes.score" is not granted', text),
    'Column "athletes.score" is not granted',
  )
})

test('declineInNames() quotes nothing that stood in quotes, dollars or comments only', () => {
  for (const text of [
    'select 1 from athletes where country = "Secret"',
    "select 1 from athletes where country = 'Secret'",
    "select 1 from athletes where country = 'It''s Secret'",
    'select 1 from athletes where country = $$ Secret $$',
    'select 1 from athletes where country = $a$ Secret $a$',
    'select 1 from athletes -- Secret',
    'select 1 from athletes /* Secret */',
    'select 1 from athletes where country = "Secret',
    'select 1 from athletes where country = U&"\\0053ecret"',
  ])
    assert.equal(
      detailOf('There is no column "Secret", at character 9', text),
      'There is no column "…", at character 9',
      text,
    )
})
