import { feature } from '@rapideditor/country-coder'

/** A point on the map, WGS 84 degrees. */
export interface MapPoint {
  readonly longitude: number
  readonly latitude: number
}

/** How far from a border a point is believed without more, in kilometres: simplified borders err by about this. */
const BORDER_TOLERANCE_KM = 2

const RING_POINTS = 16
const KM_PER_DEGREE = 111.195

/**
 * Land that the map gives to a state whose law does not simply hold there. Akrotiri and Dhekelia (`Q37362`) come as
 * `GB`, but are neither in the United Kingdom nor covered by its adequacy decision by name.
 */
const NO_MANS_REGIONS: ReadonlySet<string> = new Set(['Q37362'])

/**
 * The territory that the library of borders finds at a point: an ISO 3166-1 alpha-2 code, `unclaimed` for land
 * without a code (northern Cyprus), `undefined` at sea. Measured: right for Büsingen, Vaduz, Réunion, Svalbard, Åland.
 * The library is no source of law; it is a cross-check that can only deny.
 */
export function territoryAt({ longitude, latitude }: MapPoint): string | undefined {
  const region = feature([longitude, latitude], { level: 'territory' })?.properties
  if (!region) return undefined
  if (NO_MANS_REGIONS.has(region.wikidata)) return 'unclaimed'
  return region.iso1A2 ?? region.country ?? 'unclaimed'
}

/** Whether a text is the ISO 3166-1 alpha-2 code of a territory on the map, not a name for one (`UK`). */
export function isTerritoryCode(code: string): boolean {
  return feature(code)?.properties.iso1A2 === code
}

/**
 * Whether a border is within tolerance: 16 points on a ring of 2 km touch more than one territory. The sea is none;
 * land without a code is one.
 */
export function isNearBorder(point: MapPoint): boolean {
  const touched = new Set([territoryAt(point)])
  for (let step = 0; step < RING_POINTS; step += 1) touched.add(territoryAt(pointOnRing(point, step)))
  touched.delete(undefined)
  return touched.size > 1
}

function pointOnRing({ longitude, latitude }: MapPoint, step: number): MapPoint {
  const angle = (2 * Math.PI * step) / RING_POINTS
  const radius = BORDER_TOLERANCE_KM / KM_PER_DEGREE
  // Towards the poles a degree of longitude shrinks to nothing; there are no borders there.
  const shrink = Math.max(0.01, Math.cos((latitude * Math.PI) / 180))
  const east = longitude + (radius * Math.cos(angle)) / shrink
  return {
    longitude: east > 180 ? east - 360 : east < -180 ? east + 360 : east,
    latitude: Math.max(-90, Math.min(90, latitude + radius * Math.sin(angle))),
  }
}
