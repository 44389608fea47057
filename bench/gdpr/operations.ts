import type { GdprRecord, Purpose } from './records.ts'

/** What GDPRbench does, by the names of its paper. */
export type Operation =
  | { readonly kind: 'create-record'; readonly record: GdprRecord }
  | { readonly kind: 'read-data-by-usr'; readonly user: string }
  | { readonly kind: 'read-data-by-pur'; readonly purpose: Purpose }
  /** How many people let their data be used for a purpose now. */
  | { readonly kind: 'count-by-pur'; readonly purpose: Purpose }
  /** Whether enough people let their data be used for a purpose now. */
  | { readonly kind: 'decide-use'; readonly purpose: Purpose }
  | { readonly kind: 'read-metadata-by-usr'; readonly user: string }
  | { readonly kind: 'update-data-by-key'; readonly user: string; readonly data: string }
  /** Gives the purpose where it is not granted, and takes it back where it is. */
  | {
      readonly kind: 'update-metadata-by-pur'
      readonly user: string
      readonly purpose: Purpose
      readonly isGranted: boolean
    }
  /** The person objects, or no longer does. */
  | {
      readonly kind: 'update-metadata-by-usr'
      readonly user: string
      readonly purpose: Purpose
      readonly isObjecting: boolean
    }
  | { readonly kind: 'delete-record-by-usr'; readonly user: string }
  | { readonly kind: 'get-system-logs'; readonly count: number }
  | { readonly kind: 'verify-deletion'; readonly user: string }

/** What an operation is to answer: data, purposes or numbers of people, as one text. */
export type Answer = string

/** A system that is measured. `caller` is the number of the one of several at the same time who does it. */
export interface GdprSystem {
  readonly name: string
  perform(operation: Operation, caller: number): Promise<Answer>
  /** All that it keeps on the disk, in bytes. */
  bytes(): Promise<number>
}

/** Fewest people of whom anything is told together. */
export const MINIMUM_GROUP = 10

/** Stands for the source where people of all sources are counted. */
export const EVERYBODY = 'everybody'

/** People by source, in one form. */
export function countsText(counts: readonly (readonly [string, number])[]): Answer {
  return counts
    .map(([source, people]) => `${source}:${people}`)
    .toSorted()
    .join(',')
}
