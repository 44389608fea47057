import { EPSILON_DEFAULT } from '../../protocol/ask.ts'
import type { PrivacyRequest } from '../../protocol/ask.ts'
import type { FigureNoiseNote, PrivacyNote } from '../../protocol/release.ts'
import type { CheckedQuery, Expr, Measure } from '../query/bound/bound-query.ts'
import { designPrivate, isOfRow, sensitivityOf } from '../query/plan/private-design.ts'
import type { PrivateDesign, PrivateFigure } from '../query/plan/private-design.ts'
import { reachOf } from '../query/plan/private-grid.ts'
import { partsOf } from '../query/bound/same-expression.ts'
import { halfWidth95, planNoise, showThreshold } from './noise-plan.ts'
import type { FigureNoise, NoisePlan } from './noise-plan.ts'
import { ANSWER_DELTA, MICRO, NANO } from './privacy-loss.ts'

/** Everything about a noisy answer that does not depend on data. */
export interface PrivacyPlan {
  readonly design: PrivateDesign
  readonly noise: NoisePlan
  /** Groups are shown from this noisy number of people on; absent where they are public. */
  readonly shownFrom: number | undefined
  readonly note: PrivacyNote
}

/** The number of people behind an answer decides a step of the price, so it gets a tenth of what a figure gets. */
const WEIGHTS = { whole: 1, figure: 10 } as const

/** Plans the noise of a checked question. */
export function planPrivacy(
  checked: CheckedQuery,
  {
    privacy,
    minimumGroup,
    setsPerPerson = 1,
  }: {
    privacy: PrivacyRequest | undefined
    minimumGroup: number
    /** In how many sets of people one person can stand behind rows: what is private to a set has to be to all of them. */
    setsPerPerson?: number
  },
): PrivacyPlan {
  const design = designPrivate(checked, { privacy, minimumGroup })
  const { groupsMax } = design.bounds
  const epsilonMicro = Math.floor((privacy?.epsilon ?? EPSILON_DEFAULT) * MICRO + 1e-6)
  const noise = planNoise({
    epsilonMicro,
    noise: privacy?.noise,
    groupsMax,
    setsPerPerson,
    figures: design.figures.map((figure) => ({
      sensitivity: sensitivityOf(figure, design),
      weight: figure.kind === 'whole' ? WEIGHTS.whole : WEIGHTS.figure,
      isPlace: figure.kind === 'place',
      isOfWhole: figure.kind === 'whole',
    })),
  })
  const people = noise.figures[design.figures.findIndex(({ kind }) => kind === 'people')]
  // Half of delta is the Gaussian's own.
  // Of m sets together a delta counts at most m·e^ε times (group privacy: Dwork, Roth 2014, Theorem 2.2).
  const together = setsPerPerson === 1 ? 1 : setsPerPerson * Math.exp(epsilonMicro / MICRO)
  const delta = (noise.kind === 'laplace' ? ANSWER_DELTA : ANSWER_DELTA / 2) / together
  const shownFrom =
    design.groups === undefined && people !== undefined
      ? showThreshold({ noise: people, minimumGroup, groupsMax, delta })
      : undefined
  return { design, noise, shownFrom, note: noteOf({ design, noise, shownFrom, epsilonMicro }) }
}

function noteOf({
  design,
  noise,
  shownFrom,
  epsilonMicro,
}: Omit<PrivacyPlan, 'note'> & { readonly epsilonMicro: number }): PrivacyNote {
  const { bounds, checked } = design
  return {
    mechanism: noise.kind === 'laplace' ? 'discrete Laplace' : 'discrete Gaussian',
    epsilon: epsilonMicro / MICRO,
    delta: shownFrom === undefined && noise.kind === 'laplace' ? 0 : noise.delta,
    rho: noise.loss.rhoNano / NANO,
    rowsPerPerson: bounds.rowsMax,
    groupsPerPerson: bounds.groupsMax,
    ...(shownFrom === undefined ? {} : { shownFrom }),
    figures: checked.query.outputs.flatMap(({ expr }, output) =>
      measuresIn(expr).map((measure) => noteOfMeasure(measure, { design, noise, column: output + 1 })),
    ),
  }
}

function measuresIn(expr: Expr): readonly number[] {
  return [...new Set([...partsOf(expr)].flatMap((part) => (part.kind === 'measure' ? [part.measure] : [])))]
}

interface NoteFacts {
  readonly design: PrivateDesign
  readonly noise: NoisePlan
  readonly column: number
}

function noteOfMeasure(index: number, { design, noise, column }: NoteFacts): FigureNoiseNote {
  const { measures } = design.checked.query
  const measure = measures[index]
  const errorsAt = (at: number) =>
    errorsOf(design, noise, { measure: measures[at], series: design.seriesOf[at] ?? -1 })
  if (measure === undefined) throw new Error('Cannot tell the noise of a measure: there is none')
  const error = measure.margins
    ? errorOfPair(errorsAt(index), measure.margins.map(errorsAt))
    : errorOf(measure, errorsAt(index))
  return { column, measure: measure.kind, ...error }
}

/** What the figures of a measure are off by, in units of their grid, and how far a value can be from the middle. */
interface Errors {
  readonly widths: ReadonlyMap<PrivateFigure['kind'], number>
  readonly sensitivities: ReadonlyMap<PrivateFigure['kind'], number>
  readonly unit: number
  readonly origin: number
  readonly distance: number
}

function errorsOf(
  design: PrivateDesign,
  noise: NoisePlan,
  { measure, series: index }: { measure: Measure | undefined; series: number },
): Errors {
  const one = design.series[index]
  const isRow = one !== undefined && isOfRow(one)
  const widths = new Map<PrivateFigure['kind'], number>()
  const sensitivities = new Map<PrivateFigure['kind'], number>()
  for (const [place, figure] of design.figures.entries()) {
    const isOurs = isRow ? figure.kind === 'people' : 'series' in figure && figure.series === index
    const isOtherQuantile = figure.kind === 'place' && figure.quantileMicro !== measure?.quantileMicro
    const planned = noise.figures[place]
    if (!isOurs || isOtherQuantile || planned === undefined) continue
    widths.set(figure.kind, widthOf(planned, figure))
    sensitivities.set(figure.kind, Number(sensitivityOf(figure, design)) * design.bounds.groupsMax)
  }
  const grid = one?.grid
  return {
    widths,
    sensitivities,
    unit: grid?.unit ?? 1,
    origin: Number(grid?.origin ?? 0n),
    distance: grid ? Number(reachOf(grid).distance) : 0,
  }
}

/** Of a place in rows: it is within 2Δ·ln(places / 0.05) / ε of the quantile with a probability of 95 % (McSherry, Talwar 2007). */
function widthOf(noise: FigureNoise, figure: PrivateFigure): number {
  if (noise.kind !== 'place') return halfWidth95(noise)
  if (figure.kind !== 'place') return 0
  // A loss is in millionths of a weighed row; the rate is ε / 2Δ in the same.
  const rate = Number(noise.rate.numerator) / Number(noise.rate.denominator)
  return Math.log(figure.places.count / 0.05) / rate / (65_536 * 1_000_000)
}

type ErrorNote = Pick<FigureNoiseNote, 'sensitivity' | 'halfWidth95' | 'of'>

/** Of a covariance: the sum of products, and by how much the averages of its sides and the number of rows move it. */
function errorOfPair(product: Errors, sides: readonly Errors[]): ErrorNote {
  const reaches = sides.map(({ distance, unit }) => distance * unit)
  const [one = 0, other = 0] = reaches
  const moved = sides.map(({ widths, unit }, side) => {
    const reach = reaches[1 - side] ?? 0
    return (widths.get('distances') ?? 0) * unit * reach
  })
  const { sensitivity, halfWidth95 } = errorOf({ kind: 'sum' }, product)
  const rows = (sides[0]?.widths.get('rows') ?? 0) * one * other
  return { sensitivity, halfWidth95: shown(Math.hypot(halfWidth95, ...moved, rows)), of: 'figure / rows' }
}

function errorOf(
  { kind }: Pick<Measure, 'kind'>,
  { widths, sensitivities, unit, origin, distance }: Errors,
): ErrorNote {
  const [rows, sums] = [widths.get('rows') ?? 0, widths.get('distances') ?? 0]
  const of = (figure: PrivateFigure['kind'], scale: number) => (sensitivities.get(figure) ?? 0) * scale
  switch (kind) {
    case 'people':
    case 'count':
      return {
        sensitivity: of(widths.has('people') ? 'people' : 'rows', 1),
        halfWidth95: shown(widths.get('people') ?? rows),
        of: 'figure',
      }
    case 'sum':
    case 'covar_pop':
      return widths.has('sum')
        ? { sensitivity: of('sum', unit), halfWidth95: shown((widths.get('sum') ?? 0) * unit), of: 'figure' }
        : {
            sensitivity: of('distances', unit),
            halfWidth95: shown(Math.hypot(sums, origin * rows) * unit),
            of: 'figure',
          }
    case 'avg':
      return {
        sensitivity: of('distances', unit),
        halfWidth95: shown(Math.hypot(sums, distance * rows) * unit),
        of: 'figure / rows',
      }
    case 'percentile_cont':
    case 'percentile_disc':
      return {
        sensitivity: of('place', 1 / (65_536 * 1_000_000)),
        halfWidth95: shown(widths.get('place') ?? 0),
        of: 'rank',
      }
    case 'var_pop':
    case 'var_samp':
    case 'stddev_pop':
    case 'stddev_samp': {
      const squares = widths.get('squares') ?? 0
      return {
        sensitivity: of('squares', unit * unit),
        halfWidth95: shown(
          Math.hypot(squares, 2 * distance * sums, distance * distance * rows) * unit * unit,
        ),
        of: 'figure / rows',
      }
    }
  }
}

/** Three digits, rounded up: it is told, not computed with. */
function shown(width: number): number {
  if (width === 0 || !Number.isFinite(width)) return 0
  const digit = 10 ** (Math.floor(Math.log10(width)) - 2)
  return Number((Math.ceil(width / digit) * digit).toPrecision(3))
}
