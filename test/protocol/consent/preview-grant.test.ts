import assert from 'node:assert/strict'
import { test } from 'node:test'
import { previewGrant } from '../../../src/protocol/consent/preview-grant.ts'
import type { Mode } from '../../../src/protocol/mode.ts'
import { manifest, terms } from '../../site/consent/consent-fixtures.ts'

const site = { custodian: 'edgeworks', territory: 'IE' }

/** What a preview says would leave. */
function leaving(columns?: readonly string[]): string {
  const { answers } = previewGrant(terms(columns ? { columns } : {}), { manifest: manifest(), site })
  return answers.find(({ question }) => question === 'What would leave?')?.answer ?? ''
}

test('a preview says how many people stand behind a number, and behind one that uses specially protected data', () => {
  assert.equal(leaving(['height']), 'Numbers about groups of at least 20 people; never yours alone.')
  const both =
    'Numbers about groups of at least 20 people, at least 50 where specially protected data is used; never yours alone.'
  assert.equal(leaving(['height', 'pulse']), both)
  assert.equal(leaving(), both, 'all columns are meant where none is named')
})

test('a preview does not say that all data stays where single rows may be asked for', () => {
  const where = (modes: readonly Mode[]) => {
    const { answers } = previewGrant(terms({ modes }), { manifest: manifest(), site })
    return answers.find(({ question }) => question.startsWith('From which countries'))?.answer ?? ''
  }
  assert.match(
    where(['aggregate']),
    / The data itself stays in Ireland, at edgeworks, and nobody else gets it\.$/,
  )
  for (const modes of [['rows'], ['aggregate', 'rows']] as const)
    assert.match(
      where(modes),
      / Only single rows are given on, as said above; all else stays in Ireland, at edgeworks\.$/,
    )
})
