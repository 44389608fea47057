import type { ColumnValues } from '../../../src/protocol/rights/restriction.ts'

/** Batches that come at the same time; each is about two people, and each person is in two of them. */
export const TOGETHER: readonly string[] = Array.from({ length: 12 }, (_, index) => `batch-${index}`)

/** The rows of one of them. */
export function rowsOfBatch(batch: string): readonly ColumnValues[] {
  const index = Number(batch.split('-')[1])
  return [index, (index + 1) % TOGETHER.length].map((person) => ({
    wearer: `w${person}`,
    at: '2026-01-01T00:00:00Z',
    steps: index,
  }))
}
