import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { BasisFacts, BasisRequest } from '../../protocol/law/basis-record.ts'
import type { DeclaredBasis } from '../../protocol/law/declared-bases.ts'
import { wireFacts } from './basis-store.ts'

/** A record in force, and whom it covers by number; absent: everybody. */
export interface LiveBasis {
  readonly id: string
  /** Whose data sets it is about. */
  readonly issuer: string | undefined
  readonly facts: BasisFacts
  readonly people?: ReadonlySet<number> | undefined
}

/** A record as a file says it, whom it covers by number. */
export interface SaidBasis {
  readonly request: BasisRequest
  readonly issuer: string | undefined
  readonly people?: ReadonlySet<number> | undefined
}

/** What is to be done about one record. */
export interface BasisStep extends Pick<DeclaredBasis, 'action' | 'changes'> {
  /** What is said; absent: it is only ended. */
  readonly said?: SaidBasis
  /** The record that stays, or that gives way. */
  readonly live?: LiveBasis
  /** Records that are ended because of it. */
  readonly ends: readonly LiveBasis[]
  readonly added: readonly number[]
  readonly removed: readonly number[]
}

/**
 * Compares what is said with what is in force: a record is the same by issuer, kind and reference. Of several in force the one that is
 * as it is said stays and the others are ended; that is how one that was cut off between two steps goes on.
 */
export function planBases(
  said: readonly SaidBasis[],
  live: readonly LiveBasis[],
  { endsOthersOf }: { readonly endsOthersOf: ReadonlySet<string | undefined> },
): readonly BasisStep[] {
  const names = new Set(said.map(({ request, issuer }) => basisName(request, issuer)))
  const steps = said.map((one) =>
    stepFor(
      one,
      live.filter(({ facts, issuer }) => basisName(facts, issuer) === basisName(one.request, one.issuer)),
    ),
  )
  const others = live.filter(
    ({ facts, issuer }) => endsOthersOf.has(issuer) && !names.has(basisName(facts, issuer)),
  )
  return [
    ...steps,
    ...others.map((one): BasisStep => ({ action: 'end', live: one, ends: [one], ...NOTHING_ELSE })),
  ]
}

/** What a record is known by. */
export function basisName(
  { kind, reference }: Pick<BasisFacts, 'kind' | 'reference'>,
  issuer: string | undefined,
): string {
  return canonicalJson([issuer ?? null, kind, reference])
}

const NOTHING_ELSE = { changes: [], added: [], removed: [] }

function stepFor(said: SaidBasis, live: readonly LiveBasis[]): BasisStep {
  const same = live.find((one) => changesOf(one, said).length === 0)
  if (same) {
    const ends = live.filter((one) => one !== same)
    const [added, removed] = [without(said.people, same.people), without(same.people, said.people)]
    const action = added.length + removed.length > 0 ? 'people' : ends.length > 0 ? 'end' : 'none'
    return { action, said, live: same, ends, changes: [], added, removed }
  }
  const newest = live.at(-1)
  if (!newest) return { action: 'add', said, ends: [], ...NOTHING_ELSE }
  return {
    action: 'change',
    said,
    live: newest,
    ends: live,
    ...NOTHING_ELSE,
    changes: changesOf(newest, said),
  }
}

function without(
  people: ReadonlySet<number> | undefined,
  others: ReadonlySet<number> | undefined,
): readonly number[] {
  return people && others ? [...people.difference(others)] : []
}

/** What of the facts is said otherwise than it is; a beginning that is not said is any. */
function changesOf(live: LiveBasis, { request }: SaidBasis): DeclaredBasis['changes'] {
  const { people, ...others } = request
  const before = termsOf(live.facts)
  const after = termsOf({ ...others, people: people === 'everybody' ? people : 'listed' })
  if (request.validFrom === undefined) before.delete('validFrom')
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const [from, to] = [before.get(field), after.get(field)]
    if (from === to) return []
    return [{ field, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }]
  })
}

/** Lists whose order says nothing. */
const SETS: readonly string[] = ['dataSets', 'purposes', 'acquirers', 'modes', 'columns']

function termsOf(facts: BasisFacts): Map<string, string> {
  const terms = Object.entries({ ...wireFacts(facts, formatInstant), people: facts.people })
  return new Map(
    terms
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [
        field,
        canonicalJson(SETS.includes(field) && Array.isArray(value) ? [...value].toSorted() : value),
      ]),
  )
}
