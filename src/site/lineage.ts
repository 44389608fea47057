import { ok } from '../kernel/result.ts'
import type { Digest } from '../kernel/digest.ts'
import type { Manifest } from '../protocol/data-set.ts'
import type { Mode } from '../protocol/mode.ts'
import type { Offer } from '../protocol/offer.ts'
import type { Outcome } from '../protocol/reason.ts'
import type { QuestionParameter } from './query/check-question.ts'
import { checkQuestion } from './query/check-question.ts'

/** Where one column of a data set is used in a question, and in which outputs it can be seen. */
export interface LineageUse {
  readonly dataSet: string
  readonly column: string
  readonly clause: string
  /** Names of outputs; none where the column only decides. */
  readonly outputs: readonly string[]
}

export interface Lineage {
  readonly outputs: readonly string[]
  readonly uses: readonly LineageUse[]
  /** What the receipt of an ask carries, unless columns were left out for want of grants. */
  readonly digest: Digest
}

/**
 * What a question uses of what is offered, as the gate of a site sees it: every column, however it is named on the way,
 * in each clause it stands in. A filter or a join on a column is a use of it. Declines as the gate does.
 */
export function lineageOf(
  { sql, parameters, mode }: { sql: string; parameters: readonly QuestionParameter[]; mode: Mode },
  offers: readonly Offer[],
): Outcome<Lineage> {
  const dataSets = new Map(offers.flatMap(termsOf))
  const checked = checkQuestion(sql, { mode, dataSets, parameters })
  if (!checked.ok) return checked
  const { outputs, uses, lineageDigest } = checked.value
  const names = outputs.map(({ name }) => name)
  return ok({
    outputs: names,
    uses: uses.map((use) => ({ ...use, outputs: use.outputs.map((index) => names[index] ?? '') })),
    digest: lineageDigest,
  })
}

/** An offer as the gate looks at it, if it is about people. The gate reads nothing of retention and dominance, which an offer does not tell. */
function termsOf(offer: Offer): readonly (readonly [string, Manifest])[] {
  if (offer.person === undefined) return []
  const {
    dataSet,
    title,
    issuer,
    person,
    columns,
    purposes,
    modes,
    legalBasis,
    perimeter,
    dimensionsMax,
    tariff,
    splits,
  } = offer
  const terms: Manifest = {
    dataSet,
    title,
    issuer,
    person,
    columns,
    purposes,
    modes,
    legalBasis,
    perimeter,
    dimensionsMax,
    tariff,
    splits,
    retention: { period: 'P1D', from: '1970-01-01' },
    dominanceBp: 1_000,
  }
  return [[dataSet, terms]]
}
