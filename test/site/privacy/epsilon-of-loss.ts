import { MICRO, NANO } from '../../../src/site/privacy/privacy-loss.ts'

/** The epsilon that rho-zCDP comes to at a delta, rounded up to millionths (Bun, Steinke 2016, Proposition 1.3). */
export function epsilonMicroOf(rhoNano: number, delta: number): number {
  const rho = rhoNano / NANO
  return Math.ceil((rho + 2 * Math.sqrt(rho * Math.log(1 / delta))) * MICRO * (1 + 1e-12))
}
