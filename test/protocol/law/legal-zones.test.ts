import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseCsv } from '../../../scripts/generate-purposes.ts'
import {
  ADEQUACY_DECISIONS,
  areaContains,
  EFTA_STATES,
  EU_STATES,
  isInEea,
  isInEu,
  transferDecision,
} from '../../../src/protocol/law/legal-zones.ts'
import { sharedDirectory } from '../../shared.ts'

const today = '2026-11-24'

describe('territories', () => {
  test('the Union has 27 states today and the Area 30', () => {
    assert.equal(Object.keys(EU_STATES).filter((code) => isInEu(code, today)).length, 27)
    assert.equal(
      [...Object.keys(EU_STATES), ...Object.keys(EFTA_STATES)].filter((code) => isInEea(code, today)).length,
      30,
    )
  })

  for (const inside of ['RE', 'GP', 'MQ', 'GF', 'YT', 'MF', 'AX', 'IC', 'EA']) {
    test(`${inside} is inside`, () => assert.ok(isInEu(inside, today)))
  }
  for (const outside of 'GL FO NC PF WF PM BL TF AW CW SX BQ SJ GG JE IM GI AD MC SM VA CH XK EL UK EU'.split(
    ' ',
  )) {
    test(`${outside} is outside`, () => assert.ok(!isInEea(outside, today)))
  }

  test('membership is dated', () => {
    assert.ok(isInEu('GB', '2020-01-31') && !isInEu('GB', '2020-02-01'))
    assert.ok(!isInEu('HR', '2013-06-30') && isInEu('HR', '2013-07-01'))
  })
})

describe('areaContains()', () => {
  const table: readonly (readonly [
    area: string,
    territory: string,
    bases: readonly string[],
    expected: boolean,
  ])[] = [
    ['DE', 'DE', [], true],
    ['FR', 'RE', [], false],
    ['NO', 'SJ', [], false],
    ['EEA', 'NO', [], true],
    ['EU', 'NO', [], false],
    ['EEA', 'RE', [], true],
    ['EEA', 'CH', [], false],
    ['adequate', 'CH', [], true],
    ['adequate', 'JE', [], true],
    ['adequate', 'DE', [], false],
    ['adequate', 'US', [], false],
    ['adequate', 'US', ['dpf-certified'], true],
    ['adequate', 'CA', ['dpf-certified'], false],
    ['adequate', 'IN', ['scc'], false],
  ]
  for (const [area, territory, bases, expected] of table) {
    test(`${area} contains ${territory} with [${bases.join()}]: ${expected}`, () =>
      assert.equal(areaContains(area, territory, { today, bases }), expected))
  }
})

describe('transferDecision(): recipients', () => {
  const table: readonly (readonly [
    name: string,
    territory: string,
    bases: readonly string[],
    ground: string | undefined,
  ])[] = [
    ['DE', 'DE', [], 'no-transfer'],
    ['BR', 'BR', [], 'adequacy'],
    ['CA, non-commercial', 'CA', [], undefined],
    ['CA, commercial', 'CA', ['pipeda'], 'adequacy'],
    ['US on the list', 'US', ['dpf-certified'], 'adequacy'],
    ['US not on the list', 'US', [], undefined],
    ['IN with standard clauses', 'IN', ['scc:2026-118'], 'safeguard'],
    ['IN without', 'IN', [], undefined],
    ['IN with the basis of another country', 'IN', ['dpf-certified', 'pipeda'], undefined],
    ['a word that begins like a safeguard', 'IN', ['sccx', 'scc-like'], undefined],
    ['New Caledonia', 'NC', [], undefined],
    ['Svalbard', 'SJ', [], undefined],
  ]
  for (const [name, territory, bases, ground] of table) {
    test(`${name}: ${ground ?? 'none'}`, () =>
      assert.equal(transferDecision(territory, { today, bases })?.kind, ground))
  }

  test('the kill switch works at once, on decisions and on safeguards', () => {
    const removed = new Set(['adequacy-us', 'adequacy-br', 'scc'])
    assert.equal(transferDecision('US', { today, bases: ['dpf-certified'], removed }), undefined)
    assert.equal(transferDecision('BR', { today, removed }), undefined)
    assert.equal(transferDecision('IN', { today, bases: ['scc:2026-118'], removed }), undefined)
    assert.equal(
      transferDecision('IN', { today, bases: ['scc:2026-118', 'bcr'], removed })?.kind,
      'safeguard',
    )
    assert.equal(transferDecision('CH', { today, removed })?.kind, 'adequacy')
    assert.ok(!areaContains('adequate', 'BR', { today, removed }))
  })

  test('a decision holds from its first to its last day', () => {
    assert.equal(transferDecision('BR', { today: '2026-01-26' }), undefined)
    assert.equal(transferDecision('BR', { today: '2026-01-27' })?.kind, 'adequacy')
    assert.equal(transferDecision('GB', { today: '2031-12-27' })?.kind, 'adequacy')
    assert.equal(transferDecision('GB', { today: '2031-12-28' }), undefined)
  })

  test('each decision has a name of its own', () => {
    assert.equal(new Set(ADEQUACY_DECISIONS.map(({ id }) => id)).size, ADEQUACY_DECISIONS.length)
  })
})

const legal = join(sharedDirectory() ?? '', 'standards', 'w3c-dpv', '2.2', 'legal', 'legal.csv')
const isThere = sharedDirectory() !== undefined && existsSync(legal)

test(
  'every adequacy term of the vocabulary is in the table',
  { skip: isThere ? false : 'no ../shared beside the checkout' },
  () => {
    const terms = parseCsv(readFileSync(legal, 'utf8')).flatMap(
      ({ term = '' }) => /^Adequacy-EU-([A-Z]{2})$/.exec(term)?.[1] ?? [],
    )
    assert.ok(terms.length >= 13)
    for (const term of terms)
      assert.ok(
        ADEQUACY_DECISIONS.some(({ territory }) => territory === term),
        term,
      )
  },
)
