import type { Measure } from '../query/bound/bound-query.ts'
import type { ComputedGroup } from '../query/run/finish-groups.ts'
import type { PlaceWeight, PrivateGroup } from '../query/plan/private-group.ts'
import { isOfRow, middleSquare } from '../query/plan/private-design.ts'
import type { PrivateDesign, PrivateFigure } from '../query/plan/private-design.ts'
import { valueOfPlace } from '../query/plan/private-grid.ts'
import { middleOf } from '../query/catalogue/ranges.ts'
import { roundSignificant } from '../guard/measure-value.ts'
import { choosePlace } from './choose-place.ts'
import type { PlaceRun } from './choose-place.ts'
import { discreteGaussian, discreteLaplace } from './discrete-noise.ts'
import type { ExactChance } from './exact-chance.ts'
import type { FigureNoise, NoisePlan } from './noise-plan.ts'

export interface NoisyFacts {
  readonly design: PrivateDesign
  readonly noise: NoisePlan
  /** See `showThreshold`; absent where the groups are public. */
  readonly shownFrom?: number | undefined
  readonly chance: ExactChance
}

/** Makes every figure of every group noisy, and leaves out groups whose noisy number of people is below the threshold. */
export function makeNoisy(groups: readonly PrivateGroup[], facts: NoisyFacts): readonly ComputedGroup[] {
  const { design, shownFrom } = facts
  return groups.flatMap((group): readonly ComputedGroup[] => {
    const people = noisyPeople(group, facts)
    if (shownFrom !== undefined && (people === undefined || people < shownFrom)) return []
    const figures = noisyFigures(group, facts)
    const { measures } = design.checked.query
    const values = measures.map((measure, index) =>
      measure.kind === 'covar_pop'
        ? covarianceOf(index, { design, figures })
        : valueOf(measure, { design, series: design.seriesOf[index] ?? -1, people, figures }),
    )
    return [{ keys: group.keys, values }]
  })
}

/** A noisy number of people, for what is charged and told beside the answer; never below 0. */
export function noisyCount(count: number, { design, noise, chance }: NoisyFacts): number {
  const index = design.figures.findIndex(({ kind }) => kind === 'whole')
  const noisy = BigInt(count) + drawNoise(noise.figures[index], chance)
  return noisy < 0n ? 0 : Number(noisy)
}

function noisyPeople({ people }: PrivateGroup, { design, noise, chance }: NoisyFacts): bigint | undefined {
  const index = design.figures.findIndex(({ kind }) => kind === 'people')
  return index < 0 ? undefined : people + drawNoise(noise.figures[index], chance)
}

function drawNoise(noise: FigureNoise | undefined, chance: ExactChance): bigint {
  if (noise === undefined || noise.kind === 'place')
    throw new Error('Cannot make a figure noisy: no noise was planned for it')
  return noise.kind === 'laplace'
    ? discreteLaplace(noise.scale, chance)
    : discreteGaussian(noise.variance, chance)
}

/** Noisy whole numbers by figure; a place for a quantile. */
type NoisyFigures = ReadonlyMap<PrivateFigure, bigint>

function noisyFigures(group: PrivateGroup, { design, noise, chance }: NoisyFacts): NoisyFigures {
  const figures = new Map<PrivateFigure, bigint>()
  let places = 0
  for (const [index, figure] of design.figures.entries()) {
    if (figure.kind === 'whole' || figure.kind === 'people') continue
    const planned = noise.figures[index]
    if (figure.kind === 'place') {
      const weights = group.places[places] ?? []
      places += 1
      if (planned?.kind !== 'place') throw new Error('Cannot choose a place: no rate was planned for it')
      figures.set(figure, BigInt(choosePlace(placeRuns(weights, figure), planned.rate, chance)))
    } else {
      figures.set(figure, exactFigure(group, figure, design) + drawNoise(planned, chance))
    }
  }
  return figures
}

/** A figure before noise: the whole numbers of which `sensitivityOf` says by how much one person can change them. */
export function exactFigure(
  { series: all }: PrivateGroup,
  figure: Extract<PrivateFigure, { kind: 'rows' | 'sum' | 'distances' | 'squares' }>,
  design: PrivateDesign,
): bigint {
  const { rows, distances, squares } = all[figure.series] ?? { rows: 0n, distances: 0n, squares: 0n }
  const grid = design.series[figure.series]?.grid
  switch (figure.kind) {
    case 'rows':
      return rows
    case 'distances':
      return distances
    case 'sum':
      return distances + (grid?.origin ?? 0n) * rows
    case 'squares':
      return squares - (grid ? middleSquare(grid) : 0n) * rows
  }
}

/**
 * How far each place is from being the quantile, as runs of equal loss: what stands below it against what stands above,
 * weighed by the fraction. What stands on the place itself may be counted to either side.
 */
export function placeRuns(
  weights: readonly PlaceWeight[],
  { quantileMicro, places }: Extract<PrivateFigure, { kind: 'place' }>,
): readonly PlaceRun[] {
  const [below, above] = [BigInt(quantileMicro), 1_000_000n - BigInt(quantileMicro)]
  const total = weights.reduce((sum, { weight }) => sum + weight, 0n)
  const runs: PlaceRun[] = []
  let [next, under] = [0, 0n]
  const add = (from: number, to: number, here: bigint): void => {
    if (to < from) return
    const over = total - under - here
    const tooHigh = above * under - below * (over + here)
    const tooLow = below * over - above * (under + here)
    const worse = tooHigh > tooLow ? tooHigh : tooLow
    runs.push({ from, to, loss: worse > 0n ? worse : 0n })
  }
  for (const { place, weight } of weights) {
    add(next, place - 1, 0n)
    add(place, place, weight)
    under += weight
    next = place + 1
  }
  add(next, places.count - 1, 0n)
  return runs
}

interface ValueFacts {
  readonly design: PrivateDesign
  readonly series: number
  readonly people: bigint | undefined
  readonly figures: NoisyFigures
}

/** What a measure comes to: computed from noisy figures alone, so nothing is lost by it. */
function valueOf(
  { kind, quantileMicro, clamp }: Measure,
  { design, series: index, people, figures }: ValueFacts,
): number | null {
  const one = design.series[index]
  if (one === undefined) return null
  if (isOfRow(one)) return Number(people ?? 0n)
  const found = (wanted: PrivateFigure['kind']): bigint | undefined => {
    for (const [figure, value] of figures) {
      if (figure.kind !== wanted || !('series' in figure) || figure.series !== index) continue
      if (figure.kind === 'place' && figure.quantileMicro !== quantileMicro) continue
      return value
    }
    return undefined
  }
  const rows = Number(found('rows') ?? 0n)
  if (kind === 'people' || kind === 'count') return rows
  const { grid } = one
  if (grid === undefined) return null
  if (kind === 'percentile_cont' || kind === 'percentile_disc') {
    const place = found('place')
    const figure = design.figures.find(
      (candidate) =>
        candidate.kind === 'place' && candidate.series === index && candidate.quantileMicro === quantileMicro,
    )
    if (place === undefined || figure?.kind !== 'place') return null
    return roundSignificant(valueOfPlace(grid, figure.places, Number(place)))
  }
  const sum = found('sum')
  if (sum !== undefined) return roundSignificant(Number(sum) * grid.unit)
  const distances = found('distances') ?? 0n
  if (kind === 'sum') return roundSignificant(Number(distances + grid.origin * BigInt(rows)) * grid.unit)
  if (rows < 1) return null
  const mean = Number(distances) / rows
  if (kind === 'avg') return roundSignificant(within(grid.centre + mean * grid.unit, clamp))
  const squares = Number((found('squares') ?? 0n) + middleSquare(grid) * BigInt(rows)) / rows
  const variance = Math.max(0, squares - mean * mean) * grid.unit * grid.unit
  return spreadOf(kind, { variance, rows })
}

/** Of products of distances to the middles of both bounds: their average without what the averages of the sides tell. */
function covarianceOf(
  index: number,
  { design, figures }: Pick<ValueFacts, 'design' | 'figures'>,
): number | null {
  const { measures } = design.checked.query
  const facts = (measure: number) => ({
    design,
    series: design.seriesOf[measure] ?? -1,
    people: undefined,
    figures,
  })
  const averageOf = (margin: number): number | null => {
    const measure = measures[margin]
    const average = measure && valueOf(measure, facts(margin))
    return average === undefined || average === null || !measure?.clamp
      ? null
      : average - middleOf(measure.clamp)
  }
  const { margins: [first, second] = [-1, -1], ...product } = measures[index] ?? { kind: 'sum', tells: [] }
  const [one, other] = [averageOf(first), averageOf(second)]
  const sum = valueOf({ ...product, kind: 'sum' }, facts(index))
  const rows = valueOf({ kind: 'count', tells: [] }, facts(first))
  if (one === null || other === null || sum === null || rows === null || rows < 1) return null
  return roundSignificant(sum / rows - one * other)
}

function spreadOf(
  kind: Measure['kind'],
  { variance, rows }: { variance: number; rows: number },
): number | null {
  const isOfSample = kind === 'var_samp' || kind === 'stddev_samp'
  if (isOfSample && rows < 2) return null
  const value = isOfSample ? (variance * rows) / (rows - 1) : variance
  return roundSignificant(kind.startsWith('stddev') ? Math.sqrt(value) : value)
}

/** An average past the bounds is noise; taking it back to them costs nothing. */
function within(value: number, clamp: Measure['clamp']): number {
  return clamp ? Math.min(Math.max(value, clamp.least), clamp.greatest) : value
}
