import { stepOf } from '../../protocol/money/tariff.ts'
import type { MeteredUnits } from '../../protocol/money/tariff.ts'

/** What a run used, as counted. */
export interface RunUse {
  /** People behind what is released. */
  readonly people: number
  /** Rows that left in the modes `rows` and `function`; 0 in `aggregate`, where rows are not charged. */
  readonly rows: number
  readonly cpuMs: number
}

/**
 * What a run used, in the coarse units of money: a price tells no count. Seconds are rounded up, so that the time of a
 * heavy expression tells only whole seconds.
 */
export function measureRun({ people, rows, cpuMs }: RunUse): MeteredUnits {
  return {
    peopleStep: stepOf(people),
    rowsStep: stepOf(rows),
    cpuSeconds: Math.ceil(Math.max(0, cpuMs) / 1_000),
  }
}
