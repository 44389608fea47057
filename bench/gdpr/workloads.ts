import type { Operation } from './operations.ts'

/** One workload: how often each operation comes, in hundredths, and whether a few people are chosen far more often. */
export interface Workload {
  readonly mix: readonly (readonly [Operation['kind'], number])[]
  readonly isZipfian: boolean
  /** Of so many operations, one after another, those that change something come before those that look. */
  readonly round?: number
}

export type Profile = 'paper' | 'code'

/**
 * What a custodian does: consent that comes and goes and erasures, and then reports, of how many people let their data be used for each
 * purpose and whether a use is allowed. Reports are made from time to time, as such reports are: between two of them so many people
 * come and go that none of them is told by the difference.
 */
const CUSTODIAN: Workload = {
  mix: [
    ['decide-use', 30],
    ['count-by-pur', 20],
    ['update-metadata-by-pur', 20],
    ['update-metadata-by-usr', 10],
    ['delete-record-by-usr', 20],
  ],
  isZipfian: false,
  round: 800,
}

/**
 * Shares in hundredths. `paper`: tables of the paper; `code`: workload files of its implementation, which knows fewer operations.
 * In both, what is read or deleted by an attribute that many records share is an aggregate, or about one person. `custodian` is
 * of neither; the two profiles begin it with different people gone.
 */
export const WORKLOADS: Readonly<Record<Profile, Readonly<Record<string, Workload>>>> = {
  paper: {
    processor: {
      mix: [
        ['read-data-by-usr', 80],
        ['read-data-by-pur', 20],
      ],
      isZipfian: false,
    },
    regulator: {
      mix: [
        ['read-metadata-by-usr', 46],
        ['get-system-logs', 31],
        ['verify-deletion', 23],
      ],
      isZipfian: true,
    },
    customer: {
      mix: [
        ['read-data-by-usr', 20],
        ['read-metadata-by-usr', 20],
        ['update-data-by-key', 20],
        ['update-metadata-by-usr', 20],
        ['delete-record-by-usr', 20],
      ],
      isZipfian: true,
    },
    controller: {
      mix: [
        ['create-record', 25],
        ['delete-record-by-usr', 25],
        ['update-metadata-by-pur', 25],
        ['update-metadata-by-usr', 25],
      ],
      isZipfian: false,
    },
    custodian: CUSTODIAN,
  },
  code: {
    processor: {
      mix: [
        ['read-data-by-usr', 20],
        ['read-metadata-by-usr', 80],
      ],
      isZipfian: false,
    },
    customer: {
      mix: [
        ['read-data-by-usr', 20],
        ['read-metadata-by-usr', 20],
        ['update-data-by-key', 20],
        ['update-metadata-by-pur', 10],
        ['update-metadata-by-usr', 10],
        ['delete-record-by-usr', 20],
      ],
      isZipfian: true,
    },
    controller: {
      mix: [
        ['create-record', 25],
        ['delete-record-by-usr', 25],
        ['update-metadata-by-pur', 25],
        ['update-metadata-by-usr', 25],
      ],
      isZipfian: false,
    },
    custodian: CUSTODIAN,
  },
}
