import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/kernel/clock.ts'
import type { Evidence } from '../../../src/protocol/proof/evidence.ts'
import { evidenceSchema } from '../../../src/protocol/proof/evidence.ts'
import { perimeterSchema } from '../../../src/protocol/law/perimeter.ts'
import type { Area, PlaceRule } from '../../../src/protocol/law/perimeter.ts'
import { decidePlace } from '../../../src/site/place/decide-place.ts'
import type { PlaceQuestion } from '../../../src/site/place/decide-place.ts'
import { isNearBorder, territoryAt } from '../../../src/site/place/locate.ts'

const now = instant(Date.parse('2026-11-24T10:00:00Z'))
type Point = readonly [longitude: number, latitude: number]

function evidenceAt(
  [longitude, latitude]: Point,
  territory: string,
  facts: Partial<Evidence> = {},
): Evidence {
  const evidence = evidenceSchema.parse({
    site: 'galway',
    kind: 'operator-attested',
    territory,
    longitude,
    latitude,
    validFrom: '2026-11-01T00:00:00Z',
    validUntil: '2026-12-01T00:00:00Z',
  })
  return { ...evidence, ...facts }
}

function perimeter(within: readonly Area[], rule: Partial<PlaceRule> = {}) {
  const part = { within: [...within], ...rule }
  return perimeterSchema.parse({
    store: part,
    process: part,
    release: { within: ['EEA', 'adequate', 'US', 'IN', 'CA'] },
  })
}

function decide(question: Partial<PlaceQuestion>): string {
  const decided = decidePlace({
    operation: 'store',
    perimeter: perimeter(['EEA', 'adequate']),
    now,
    ...question,
  })
  return decided.ok ? 'allowed' : decided.error.code
}

const berlin: Point = [13.405, 52.52]
const places: readonly (readonly [
  name: string,
  point: Point,
  claim: string,
  unattested: boolean,
  attested: boolean,
])[] = [
  ['Berlin', berlin, 'DE', true, true],
  ['Galway', [-9.0568, 53.2707], 'IE', true, true],
  ['Zürich', [8.5417, 47.3769], 'CH', true, true],
  ['Dresden', [13.7373, 51.0504], 'DE', true, true],
  ['Kehl', [7.8085, 48.5731], 'DE', false, true],
  ['Strasbourg', [7.7521, 48.5734], 'FR', true, true],
  ['Strasbourg by the bridge', [7.798, 48.5733], 'FR', false, true],
  ['Kehl, claimed as FR', [7.8085, 48.5731], 'FR', false, false],
  ['Büsingen', [8.6896, 47.6969], 'DE', false, true],
  ['Büsingen, claimed as CH', [8.6896, 47.6969], 'CH', false, false],
  ['Vaduz', [9.5209, 47.141], 'LI', false, true],
  ['Vaduz, claimed as AT', [9.5209, 47.141], 'AT', false, false],
  ['Réunion', [55.4504, -20.8789], 'RE', true, true],
  ['Réunion, claimed as FR', [55.4504, -20.8789], 'FR', false, false],
  ['Nouméa', [166.4416, -22.2758], 'NC', false, false],
  ['Nouméa, claimed as FR', [166.4416, -22.2758], 'FR', false, false],
  ['Svalbard', [15.6356, 78.2232], 'SJ', false, false],
  ['Svalbard, claimed as NO', [15.6356, 78.2232], 'NO', false, false],
  ['Jersey', [-2.1049, 49.1858], 'JE', true, true],
  ['Jersey, claimed as GB', [-2.1049, 49.1858], 'GB', false, false],
  ['Åland', [19.9348, 60.0973], 'AX', true, true],
  ['Nuuk', [-51.7216, 64.1835], 'GL', false, false],
  ['Canaries', [-15.4134, 28.1248], 'ES', true, true],
  ['Ceuta', [-5.3075, 35.8894], 'EA', false, true],
  ['northern Cyprus', [33.3192, 35.3387], 'CY', false, false],
  ['Nicosia, south', [33.366, 35.165], 'CY', false, true],
  ['Limassol', [33.0226, 34.6786], 'CY', true, true],
  ['Akrotiri', [32.95, 34.58], 'GB', false, false],
  ['North Sea', [3, 56], 'DE', false, false],
  ['Crimea', [34.1, 44.95], 'UA', false, false],
]

describe('decidePlace(): the point table, for storing and processing in the EEA or an adequate country', () => {
  for (const [name, point, claim, unattested, attested] of places) {
    for (const attestsNearBorder of [false, true]) {
      const isAllowed = attestsNearBorder ? attested : unattested
      test(`${name}, claim ${claim}, ${attestsNearBorder ? 'attested' : 'not attested'}: ${isAllowed ? 'allowed' : 'declined'}`, () => {
        const evidence = evidenceAt(point, claim, { attestsNearBorder })
        assert.equal(
          decide({ operation: 'store', evidence }),
          isAllowed ? 'allowed' : 'declined.perimeter_store',
        )
        assert.equal(
          decide({ operation: 'process', evidence }),
          isAllowed ? 'allowed' : 'declined.perimeter_process',
        )
      })
    }
  }

  test('one kilometre on either side of a border is near it, five are not', () => {
    // Where the library sees the border between France and Germany on a line through Kehl.
    const latitude = 48.5731
    let border = 7.75
    while (territoryAt({ longitude: border, latitude }) === 'FR') border += 0.0005
    const kmEast = (km: number): Point => [
      border + km / (111.195 * Math.cos((latitude * Math.PI) / 180)),
      latitude,
    ]
    for (const km of [-1, 1]) {
      const claim = km < 0 ? 'FR' : 'DE'
      assert.equal(decide({ evidence: evidenceAt(kmEast(km), claim) }), 'declined.perimeter_store')
      assert.equal(
        decide({ evidence: evidenceAt(kmEast(km), claim, { attestsNearBorder: true }) }),
        'allowed',
      )
    }
    const [longitude, south] = kmEast(12)
    assert.ok(!isNearBorder({ longitude, latitude: south }))
  })

  test('no point of the globe is anywhere but where the library finds it', () => {
    const point = fc.tuple(
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: -90, max: 90, noNaN: true }),
    )
    fc.assert(
      fc.property(point, fc.constantFrom('DE', 'FR', 'CH', 'US'), ([longitude, latitude], claim) => {
        const evidence = evidenceAt([longitude, latitude], claim, { attestsNearBorder: true })
        const isAllowed = decide({ evidence, perimeter: perimeter(['DE', 'FR', 'CH', 'US']) }) === 'allowed'
        return isAllowed === (territoryAt({ longitude, latitude }) === claim)
      }),
    )
  })
})

describe('decidePlace(): evidence', () => {
  const evidence = evidenceAt(berlin, 'DE')
  const to = { jurisdiction: 'IE' }
  for (const operation of ['store', 'process', 'release'] as const) {
    test(`${operation}: none, not yet, and no longer valid evidence decline`, () => {
      assert.equal(decide({ operation, releaseTo: to }), 'declined.evidence_missing')
      const { validFrom, validUntil } = evidence
      const at = (moment: number) => decide({ operation, evidence, releaseTo: to, now: instant(moment) })
      assert.equal(at(validFrom - 1), 'declined.evidence_missing')
      assert.equal(at(validFrom), 'allowed')
      assert.equal(at(validUntil - 1), 'allowed')
      assert.equal(at(validUntil), 'declined.evidence_expired')
    })
  }

  test('evidence that contradicts the map lets nothing out either', () => {
    const contradicted = evidenceAt([8.5417, 47.3769], 'DE')
    assert.equal(
      decide({ operation: 'release', evidence: contradicted, releaseTo: to }),
      'declined.evidence_missing',
    )
  })

  test('a territory outside the perimeter declines, with the code of the operation', () => {
    const question = { evidence, perimeter: perimeter(['CH']) }
    assert.equal(decide({ ...question, operation: 'store' }), 'declined.perimeter_store')
    assert.equal(decide({ ...question, operation: 'process' }), 'declined.perimeter_process')
  })

  test('an adequacy decision that was removed no longer holds for the site', () => {
    const zurich = evidenceAt([8.5417, 47.3769], 'CH')
    assert.equal(decide({ evidence: zurich }), 'allowed')
    assert.equal(decide({ evidence: zurich, removed: new Set(['adequacy-ch']) }), 'declined.perimeter_store')
  })
})

describe('decidePlace(): the polygon', () => {
  const ring = (west: number, south: number, east: number, north: number): [number, number][] => [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
  const evidence = evidenceAt(berlin, 'DE')
  const inside = (coordinates: [number, number][][]) =>
    decide({ evidence, perimeter: perimeter(['EEA'], { polygon: { type: 'Polygon', coordinates } }) })

  test('inside is allowed; outside, in a hole and on the edge are declined', () => {
    assert.equal(inside([ring(13, 52, 14, 53)]), 'allowed')
    assert.equal(inside([ring(14, 52, 15, 53)]), 'declined.perimeter_store')
    assert.equal(inside([ring(13, 52, 14, 53), ring(13.3, 52.4, 13.5, 52.6)]), 'declined.perimeter_store')
    assert.equal(inside([ring(berlin[0], 52, 14, 53)]), 'declined.perimeter_store')
  })

  test('inside the polygon but outside the countries is declined: the polygon only narrows', () => {
    const polygon = { type: 'Polygon' as const, coordinates: [ring(13, 52, 14, 53)] }
    assert.equal(decide({ evidence, perimeter: perimeter(['FR'], { polygon }) }), 'declined.perimeter_store')
  })
})

describe('decidePlace(): release', () => {
  const evidence = evidenceAt(berlin, 'DE')
  const release = (
    jurisdiction: string,
    transferBasis?: string,
    recipientBases: readonly string[] = [],
    removed?: ReadonlySet<string>,
  ) =>
    decide({
      operation: 'release',
      evidence,
      releaseTo: { jurisdiction, transferBasis },
      recipientBases,
      removed,
    })
  const refused = 'declined.perimeter_release'

  const table: readonly (readonly [name: string, decision: string, expected: string])[] = [
    ['DE', release('DE'), 'allowed'],
    ['BR', release('BR'), 'allowed'],
    ['CA, non-commercial', release('CA'), refused],
    ['US on the list', release('US', 'dpf-certified', ['dpf-certified']), 'allowed'],
    ['US not on the list', release('US', 'dpf-certified'), refused],
    ['IN with standard clauses', release('IN', 'scc', ['scc']), 'allowed'],
    ['IN without', release('IN', 'scc'), refused],
    ['US on the list, but not claimed', release('US', undefined, ['dpf-certified']), refused],
    ['IN claiming one thing, checked for another', release('IN', 'scc', ['bcr']), refused],
    ['RU, outside the perimeter, with clauses', release('RU', 'scc', ['scc']), refused],
    ['NC', release('NC'), refused],
    ['RE', release('RE'), 'allowed'],
    ['no such country', release('ZZ'), refused],
  ]
  for (const [name, decision, expected] of table)
    test(`${name}: ${expected}`, () => assert.equal(decision, expected))

  test('the kill switch flips at once', () => {
    assert.equal(release('BR', undefined, [], new Set(['adequacy-br'])), refused)
    assert.equal(release('US', 'dpf-certified', ['dpf-certified'], new Set(['adequacy-us'])), refused)
    assert.equal(release('IN', 'scc', ['scc'], new Set(['scc'])), refused)
    assert.equal(release('IE', undefined, [], new Set(['adequacy-br', 'scc'])), 'allowed')
  })

  test('the ground is given for the record', () => {
    const decided = decidePlace({
      operation: 'release',
      perimeter: perimeter(['EEA']),
      evidence,
      releaseTo: { jurisdiction: 'US', transferBasis: 'dpf-certified' },
      recipientBases: ['dpf-certified'],
      now,
    })
    assert.deepEqual(decided, {
      ok: true,
      value: {
        territory: 'US',
        ground: { kind: 'adequacy', decision: 'adequacy-us', condition: 'dpf-certified' },
      },
    })
  })

  test('no place of release, or a perimeter that cannot be proven, is declined', () => {
    assert.equal(decide({ operation: 'release', evidence }), refused)
    const polygon = {
      type: 'Polygon' as const,
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 0],
        ] as [number, number][],
      ],
    }
    const narrowed = { ...perimeter(['EEA']), release: { within: ['EEA' as const], polygon } }
    assert.equal(
      decide({ operation: 'release', evidence, perimeter: narrowed, releaseTo: { jurisdiction: 'IE' } }),
      refused,
    )
  })
})
