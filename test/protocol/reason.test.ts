import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { decisionOf } from '../../src/protocol/decision.ts'
import { declined, REASON_CODES, REASONS } from '../../src/protocol/reason.ts'

test('every reason speaks to asker and operator in a sentence without a full stop', () => {
  for (const code of REASON_CODES) {
    assert.match(code, /^(approved|(partial|declined)\.[a-z]+(_[a-z]+)*)$/)
    for (const text of Object.values(REASONS[code])) assert.match(text, /^[A-Z].*[^.]$/)
  }
})

test('decisionOf() is what stands before the first dot', () => {
  assert.equal(decisionOf('approved'), 'approved')
  assert.equal(decisionOf('partial.columns'), 'partial')
  assert.equal(decisionOf('declined.differencing'), 'declined')
})

test('declined() is an outcome with its facts', () => {
  const facts = { detail: 'The column "x" is not known', position: 7 }
  assert.deepEqual(declined('declined.column', facts), {
    ok: false,
    error: { code: 'declined.column', ...facts },
  })
})
