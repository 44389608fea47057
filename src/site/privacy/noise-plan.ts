import type { Fraction } from './exact-chance.ts'
import { rootOf } from './discrete-noise.ts'
import { ANSWER_DELTA, gaussianLoss, gaussianRhoNano, MICRO, NANO, pureLoss } from './privacy-loss.ts'
import type { PrivacyLoss } from './privacy-loss.ts'

/** Which noise: both are whole numbers. */
export type NoiseKind = 'laplace' | 'gaussian'

/** One number that is released for each group: by how much one person can change it in a group, and its share of epsilon. */
export interface NoisyFigure {
  /** In whole units of the figure; a person changes it by no more in each of at most `groupsMax` groups. */
  readonly sensitivity: bigint
  readonly weight: number
  /** A place on a grid, chosen by the exponential mechanism; `sensitivity` is that of its loss. */
  readonly isPlace?: boolean
  /** One number for the whole answer, not for each group. */
  readonly isOfWhole?: boolean
}

export interface NoiseRequest {
  readonly epsilonMicro: number
  /** What the asker chose; absent: whichever has the smaller spread. */
  readonly noise?: NoiseKind | undefined
  /** Most groups that one person's rows are in. */
  readonly groupsMax: number
  /**
   * In how many sets of people one person can be, 1 unless told: noise then hides all of them, an m-th of epsilon for each,
   * an m²-th of rho (group privacy: Bun, Steinke 2016, Proposition 1.9).
   */
  readonly setsPerPerson?: number
  readonly figures: readonly NoisyFigure[]
}

/** How a figure is made noisy, exactly. */
export type FigureNoise =
  | { readonly kind: 'laplace'; readonly scale: Fraction }
  | { readonly kind: 'gaussian'; readonly variance: Fraction }
  /** `rate` as in `choosePlace`; `epsilon` is what one group's choice spends. */
  | { readonly kind: 'place'; readonly rate: Fraction; readonly epsilon: number }

/** The noise of an answer and what it costs: fixed before any data is looked at. */
export interface NoisePlan {
  readonly kind: NoiseKind
  readonly loss: PrivacyLoss
  readonly delta: number
  readonly figures: readonly FigureNoise[]
}

/** Divides the epsilon of an ask among its figures by their weights. */
export function planNoise(request: NoiseRequest): NoisePlan {
  const { epsilonMicro, figures, groupsMax, setsPerPerson = 1 } = request
  const weights = BigInt(figures.reduce((sum, { weight }) => sum + weight, 0))
  const kind = request.noise ?? (isGaussianNarrower(request) ? 'gaussian' : 'laplace')
  const shares = figures.map((figure) => ({
    figure,
    groups: BigInt(figure.isOfWhole === true ? 1 : groupsMax),
    weights,
  }))
  if (kind === 'laplace')
    return {
      kind,
      loss: pureLoss(epsilonMicro),
      delta: ANSWER_DELTA,
      figures: shares.map((share) => laplaceOf(share, BigInt(Math.floor(epsilonMicro / setsPerPerson)))),
    }
  return {
    kind,
    loss: gaussianLoss(epsilonMicro),
    delta: ANSWER_DELTA,
    figures: shares.map((share) =>
      gaussianOf(share, BigInt(Math.floor(gaussianRhoNano(epsilonMicro) / setsPerPerson ** 2))),
    ),
  }
}

/** Standard deviations: √2·G·Δ·W/ε against √G·Δ·√(W/2ρ), for the figures with the largest weight. */
function isGaussianNarrower({ epsilonMicro, figures, groupsMax }: NoiseRequest): boolean {
  const total = figures.reduce((sum, { weight }) => sum + weight, 0)
  const parts = total / Math.max(...figures.map(({ weight }) => weight))
  const laplace = (Math.SQRT2 * groupsMax * parts * MICRO) / epsilonMicro
  const gaussian = Math.sqrt((groupsMax * parts * NANO) / (2 * gaussianRhoNano(epsilonMicro)))
  return gaussian < laplace
}

interface Share {
  readonly figure: NoisyFigure
  readonly groups: bigint
  readonly weights: bigint
}

/** Scale Δ₁ / ε with Δ₁ = G·Δ, because a person changes at most G groups by Δ each. */
function laplaceOf(
  { figure: { sensitivity, weight, isPlace }, groups, weights }: Share,
  epsilonMicro: bigint,
): FigureNoise {
  const spent = { numerator: BigInt(weight) * epsilonMicro, denominator: groups * weights * MICRO_WHOLE }
  if (isPlace === true) return placeOf(spent, sensitivity)
  return {
    kind: 'laplace',
    scale: { numerator: sensitivity * spent.denominator, denominator: spent.numerator },
  }
}

/** Variance Δ₂² / 2ρ with Δ₂² = G·Δ². */
function gaussianOf(
  { figure: { sensitivity, weight, isPlace }, groups, weights }: Share,
  rhoNano: bigint,
): FigureNoise {
  const spent = { numerator: BigInt(weight) * rhoNano, denominator: groups * weights * NANO_WHOLE }
  if (isPlace === true) {
    // The exponential mechanism is ε²/8-zCDP (Cesar, Rogers 2021), so ε = √8ρ, rounded down to 10⁻¹².
    const root = rootOf((8n * spent.numerator * 10n ** 24n) / spent.denominator)
    return placeOf({ numerator: root, denominator: 10n ** 12n }, sensitivity)
  }
  return {
    kind: 'gaussian',
    variance: {
      numerator: sensitivity * sensitivity * spent.denominator,
      denominator: 2n * spent.numerator,
    },
  }
}

function placeOf(epsilon: Fraction, sensitivity: bigint): FigureNoise {
  return {
    kind: 'place',
    rate: { numerator: epsilon.numerator, denominator: 2n * sensitivity * epsilon.denominator },
    epsilon: numberOf(epsilon),
  }
}

const MICRO_WHOLE = BigInt(MICRO)
const NANO_WHOLE = BigInt(NANO)

/** A fraction as a double: for what is told of noise, never for noise. */
export function numberOf({ numerator, denominator }: Fraction): number {
  const shift = 10n ** 15n
  const whole = numerator / denominator
  return Number(whole) + Number(((numerator - whole * denominator) * shift) / denominator) / 1e15
}

/** Half the width of an interval around the true figure in which the noise stays with a probability of 95 %. */
export function halfWidth95(noise: Exclude<FigureNoise, { kind: 'place' }>): number {
  return noise.kind === 'laplace'
    ? numberOf(noise.scale) * Math.log(20)
    : 1.959_963_984_540_054 * Math.sqrt(numberOf(noise.variance))
}

/**
 * The least noisy number of people with which a group is shown whose key comes from the data, when those below
 * `minimumGroup` never are: a group of exactly that many passes with a probability of at most delta / G, and a person
 * stands alone in at most G groups. (A threshold of Korolova et al. 2009, with the people below the minimum taken off first.)
 */
export function showThreshold({
  noise,
  minimumGroup,
  groupsMax,
  delta,
}: {
  noise: FigureNoise
  minimumGroup: number
  groupsMax: number
  delta: number
}): number {
  const log = Math.log(groupsMax / delta)
  // P(noise ≥ t) is at most exp(-t / scale) and exp(-t² / 2 variance); one more, for the rounding of this very line.
  const reach =
    noise.kind === 'laplace'
      ? numberOf(noise.scale) * log
      : noise.kind === 'gaussian'
        ? Math.sqrt(2 * numberOf(noise.variance) * log)
        : Number.POSITIVE_INFINITY
  return minimumGroup + Math.ceil(reach) + 1
}
