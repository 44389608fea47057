/**
 * What an answer costs in privacy, in whole units so that sums are exact: epsilon in millionths, and rho of
 * zero-concentrated differential privacy (zCDP; Bun, Steinke 2016) in thousand-millionths. An answer has both: it is
 * (epsilon, delta)-private by itself, and rho adds up better over many.
 */
export interface PrivacyLoss {
  readonly epsilonMicro: number
  readonly rhoNano: number
}

/** What may be lost over a period, as a statement about all answers together. */
export interface PrivacyBudget {
  readonly epsilon: number
  /** Of the conversion from rho; those of single answers come on top (`guaranteedDelta`). */
  readonly delta: number
}

export const MICRO = 1_000_000
export const NANO = 1_000_000_000

/** Delta at which the budgets of a site are stated. */
export const BUDGET_DELTA = 1e-6

/** Delta of one answer: of the groups that it shows, and of Gaussian noise. */
export const ANSWER_DELTA = 1e-9

/**
 * Least rho that an answer is counted with. It bounds how many answers a budget pays for, and so the sum of their
 * deltas, without a third number for each person.
 */
export const RHO_NANO_LEAST = 100_000

/**
 * The largest rho for which rho-zCDP implies (epsilon, delta)-differential privacy by epsilon = rho + 2·√(rho·ln 1/delta)
 * (Bun, Steinke 2016, Proposition 1.3), rounded down.
 */
export function rhoNanoWithin({ epsilon, delta }: PrivacyBudget): number {
  const log = Math.log(1 / delta)
  // (√(L + ε) - √L)², written without the difference of two nearly equal roots.
  const root = epsilon / (Math.sqrt(log + epsilon) + Math.sqrt(log))
  return Math.max(0, Math.floor(root * root * NANO * (1 - 1e-12)))
}

/** The loss of an answer that is epsilon-private but for a delta: epsilon²/2-zCDP (Bun, Steinke 2016, Proposition 1.4). */
export function pureLoss(epsilonMicro: number): PrivacyLoss {
  const rhoNano = Math.ceil((epsilonMicro * epsilonMicro) / 2_000)
  return { epsilonMicro, rhoNano: Math.max(rhoNano, RHO_NANO_LEAST) }
}

/** The loss of an answer with Gaussian noise that is (epsilon, delta)-private by itself; half of delta is for the groups shown. */
export function gaussianLoss(epsilonMicro: number): PrivacyLoss {
  return {
    epsilonMicro,
    rhoNano: Math.max(gaussianRhoNano(epsilonMicro), RHO_NANO_LEAST),
  }
}

/** The rho that Gaussian noise of an answer may spend. */
export function gaussianRhoNano(epsilonMicro: number): number {
  return rhoNanoWithin({ epsilon: epsilonMicro / MICRO, delta: ANSWER_DELTA / 2 })
}

/** A budget in the units of losses. */
export interface LossLimit {
  readonly epsilonMicro: number
  readonly rhoNano: number
}

export function limitOf(budget: PrivacyBudget): LossLimit {
  return { epsilonMicro: Math.floor(budget.epsilon * MICRO + 1e-6), rhoNano: rhoNanoWithin(budget) }
}

/**
 * Whether a history of losses stays within a budget: by adding up epsilon, or by adding up rho. Either is enough on
 * each path, whatever was chosen on the way (`docs/explanation/noise.md`, "Two ways to add up").
 */
export function isWithin({ epsilonMicro, rhoNano }: PrivacyLoss, limit: LossLimit): boolean {
  return epsilonMicro <= limit.epsilonMicro || rhoNano <= limit.rhoNano
}

/** The delta at which a budget's epsilon holds over a whole period: of the conversion, and of every answer that it can pay for. */
export function guaranteedDelta(budget: PrivacyBudget): number {
  const { epsilonMicro, rhoNano } = limitOf(budget)
  const answersMax = Math.floor(epsilonMicro / EPSILON_MICRO_LEAST) + Math.floor(rhoNano / RHO_NANO_LEAST)
  return budget.delta + answersMax * ANSWER_DELTA
}

/** Least epsilon of an ask: below it noise hides everything and answers would be too many to count their deltas. */
export const EPSILON_MICRO_LEAST = 10_000
