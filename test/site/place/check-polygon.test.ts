import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { perimeterSchema } from '../../../src/protocol/law/perimeter.ts'
import { perimeterProblems, polygonProblems } from '../../../src/site/place/check-polygon.ts'

type Ring = [number, number][]
const square: Ring = [
  [0, 0],
  [4, 0],
  [4, 4],
  [0, 4],
  [0, 0],
]

test('polygonProblems() finds nothing in a plain polygon, one with a hole, and two apart', () => {
  assert.deepEqual(polygonProblems({ type: 'Polygon', coordinates: [square] }), [])
  const hole: Ring = [
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 1],
    [1, 1],
  ]
  assert.deepEqual(polygonProblems({ type: 'Polygon', coordinates: [square, hole] }), [])
  const far: Ring = square.map(([x, y]) => [x + 10, y])
  assert.deepEqual(polygonProblems({ type: 'MultiPolygon', coordinates: [[square], [far]] }), [])
})

test('polygonProblems() says where a polygon crosses itself', () => {
  const bowTie: Ring = [
    [0, 0],
    [2, 2],
    [2, 0],
    [0, 2],
    [0, 0],
  ]
  assert.deepEqual(polygonProblems({ type: 'MultiPolygon', coordinates: [[square], [bowTie]] }), [
    {
      field: 'polygon.coordinates[1]',
      expected: 'expected a polygon that does not cross or touch itself; it does near 1.00000, 1.00000',
    },
  ])
  const crossingHole: Ring = [
    [1, 1],
    [5, 1],
    [5, 2],
    [1, 2],
    [1, 1],
  ]
  assert.equal(polygonProblems({ type: 'Polygon', coordinates: [square, crossingHole] }).length, 1)
})

test('polygonProblems() names the ring that is not closed', () => {
  const open: Ring = [
    [1, 1],
    [2, 1],
    [2, 2],
    [1, 2],
  ]
  assert.deepEqual(polygonProblems({ type: 'Polygon', coordinates: [square, open] }), [
    { field: 'polygon', expected: 'expected ring 2 to end at the position where it begins' },
  ])
  // At the same meridian, or at the same parallel, is not at the same position.
  for (const end of [
    [1, 3],
    [3, 1],
  ] as const)
    assert.match(
      polygonProblems({ type: 'Polygon', coordinates: [[...open, [...end]]] })[0]?.expected ?? '',
      /ring 1 to end/,
    )
})

test('polygonProblems() refuses to look at too many positions', () => {
  const ring: Ring = Array.from({ length: LIMITS.polygonPositionsMax }, (_, index) => [index / 1000, 0])
  const [problem] = polygonProblems({ type: 'Polygon', coordinates: [ring, square] })
  assert.match(problem?.expected ?? '', /at most 2000 positions/)
})

test('perimeterProblems() names the operation, and takes no polygon for release', () => {
  const bowTie: Ring = [
    [0, 0],
    [2, 2],
    [2, 0],
    [0, 2],
    [0, 0],
  ]
  const rule = (ring: Ring) => ({ within: ['DE'], polygon: { type: 'Polygon', coordinates: [ring] } })
  const perimeter = perimeterSchema.parse({
    store: rule(square),
    process: rule(bowTie),
    release: rule(square),
  })
  assert.deepEqual(
    perimeterProblems(perimeter).map(({ field }) => field),
    ['perimeter.process.polygon', 'perimeter.release.polygon'],
  )
})
