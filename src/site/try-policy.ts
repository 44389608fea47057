import { later } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import type { FieldProblem } from '../kernel/faults.ts'
import type { Ask } from '../protocol/ask.ts'
import type { Manifest } from '../protocol/data-set.ts'
import type { Evidence } from '../protocol/proof/evidence.ts'
import type { Decline } from '../protocol/reason.ts'
import { admit } from './asks/admission-checks.ts'
import { manifestProblems } from './datasets/manifest-problems.ts'

/** A use that a policy is tried on: who asks, as far as places go, for what, and where the site stands. */
export interface PolicyTrial {
  readonly manifest: Manifest
  readonly ask: Pick<Ask, 'releaseTo' | 'purpose' | 'legalBasis' | 'mode'>
  /** Bases for transfers that the network's operator has checked for the acquirer. */
  readonly transferBases: readonly string[]
  readonly evidence: Evidence
  readonly removedGrounds: ReadonlySet<string>
  readonly now: Instant
}

const MINUTE_MS = 60_000

/**
 * Holds a use against a manifest by the very checks that a site makes before it opens a question: place, purpose, legal
 * basis, mode, retention, in the order of the reasons. Gives the decline, or `undefined` when the ask would be opened; grants,
 * groups and budgets come after that and are not tried.
 */
export function tryPolicy({
  manifest,
  ask,
  transferBases,
  evidence,
  removedGrounds,
  now,
}: PolicyTrial): Decline | undefined {
  return admit({
    manifest,
    ask: { ...ask, expires: later(now, MINUTE_MS) },
    acquirer: { status: 'active', transferBases: [...transferBases] },
    isCustodian: false,
    evidence,
    removedGrounds,
    unassessedRisk: undefined,
    contractLack: undefined,
    now,
  })
}

/** What a site would refuse of a manifest whose fields are right each: polygons, places and terms that there are not. */
export function examineManifest(manifest: Manifest): readonly FieldProblem[] {
  return manifestProblems(manifest)
}
