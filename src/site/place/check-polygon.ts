import kinks from '@turf/kinks'
import type { FieldProblem } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Perimeter, PerimeterPolygon } from '../../protocol/law/perimeter.ts'

/**
 * What is wrong with a polygon that its schema cannot see (RFC 7946 §3.1.6): rings that are not closed, that cross
 * themselves or one another, or have too many positions. Each problem is one sentence that says what to do.
 */
export function polygonProblems(polygon: PerimeterPolygon, field = 'polygon'): readonly FieldProblem[] {
  const parts = polygon.type === 'Polygon' ? [polygon.coordinates] : polygon.coordinates
  const positions = parts.flat().reduce((sum, ring) => sum + ring.length, 0)
  if (positions > LIMITS.polygonPositionsMax) {
    return [
      { field, expected: `expected at most ${LIMITS.polygonPositionsMax} positions; simplify the polygon` },
    ]
  }
  return parts.flatMap((rings, index) => {
    const path = polygon.type === 'Polygon' ? field : `${field}.coordinates[${index}]`
    return partProblems(rings, path)
  })
}

/** The problems of all polygons of a perimeter, and a polygon where none can be: for release. */
export function perimeterProblems(perimeter: Perimeter, field = 'perimeter'): readonly FieldProblem[] {
  const problems: FieldProblem[] = []
  for (const operation of ['store', 'process'] as const) {
    const { polygon } = perimeter[operation]
    if (polygon) problems.push(...polygonProblems(polygon, `${field}.${operation}.polygon`))
  }
  if (perimeter.release.polygon) {
    problems.push({
      field: `${field}.release.polygon`,
      expected: 'expected no polygon: where a result is used is a country; name it in "within"',
    })
  }
  return problems
}

type Ring = readonly (readonly [number, number])[]

function partProblems(rings: readonly Ring[], field: string): readonly FieldProblem[] {
  const open = rings.findIndex((ring) => !isClosed(ring))
  if (open !== -1) {
    return [{ field, expected: `expected ring ${open + 1} to end at the position where it begins` }]
  }
  const coordinates = rings.map((ring) => ring.map(([longitude, latitude]) => [longitude, latitude]))
  const crossing = kinks({ type: 'Polygon', coordinates }).features[0]?.geometry.coordinates
  if (!crossing) return []
  const [longitude = 0, latitude = 0] = crossing
  return [
    {
      field,
      expected: `expected a polygon that does not cross or touch itself; it does near ${longitude.toFixed(5)}, ${latitude.toFixed(5)}`,
    },
  ]
}

function isClosed(ring: Ring): boolean {
  const [first, last] = [ring[0], ring.at(-1)]
  return first !== undefined && last !== undefined && first[0] === last[0] && first[1] === last[1]
}
