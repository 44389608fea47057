import { LIMITS } from '../../../kernel/limits.ts'
import type { VaultStatement } from '../../vault/vault.ts'
import type { CheckedQuery, Expr, Source } from '../bound/bound-query.ts'
import { rowsPerPerson } from '../plan/aggregate-series.ts'
import type { PlanContext } from '../plan/plan-context.ts'
import { printPeople } from '../plan/print-people.ts'
import { levelPrinting, printLevel, printPersonColumn } from '../plan/print-sources.ts'
import type { SourcePrinting } from '../plan/print-sources.ts'
import { printExpression } from '../plan/print.ts'
import type { Decisions } from './decisions.ts'
import { allOf } from './tells.ts'

/** Into which parts a question's decisions put people: statements whose last column is a set of people. */
export interface PartsPlan {
  /** For each level of conditions, filters and keys. */
  readonly told: readonly VaultStatement[]
  /** For what is decided within the values that are summed, of the rows that count. */
  readonly ofValues: VaultStatement | undefined
}

/** Prints how people are told apart. Conditions of a level are not applied: who does not meet them is a part as well. */
export function planParts(
  { query, manifests }: CheckedQuery,
  { decisions, isTold }: { readonly decisions: Decisions; readonly isTold: boolean },
  context: PlanContext,
): PartsPlan {
  const { levels, values, isOpaque } = decisions
  const print = (level: Tells) => printParts(level, { manifests, context })
  return {
    told: isTold && !isOpaque ? levels.map(({ sources, tells }) => print({ sources, tells })) : [],
    ofValues:
      values.tells.length === 0 || isOpaque
        ? undefined
        : print({ sources: query.sources, tells: values.tells, where: allOf(values.counts) }),
  }
}

interface Tells {
  readonly sources: readonly Source[]
  readonly tells: readonly Expr[]
  readonly where?: Expr | undefined
}

function printParts(
  { sources, tells, where }: Tells,
  { manifests, context }: { manifests: CheckedQuery['manifests']; context: PlanContext },
): VaultStatement {
  const parameters: SourcePrinting['parameters'] = []
  const printing = { dialect: context.dialect, parameters, relations: context.relations, manifests }
  const inner = levelPrinting(printing, sources)
  const list = tells.map((tell, index) => `, ${printExpression(tell, inner)} as "t${index}"`)
  const conditions = where ? [{ expr: where, clause: 'where' as const }] : []
  const level = printLevel({ sources, where: conditions, reads: tells }, printing)
  const people = printPeople(undefined, {
    context,
    rowsPerPersonMax: rowsPerPerson(sources, { manifests }, context),
  })
  const names = tells.map((_, index) => `"q"."t${index}"`)
  return {
    sql: `select ${people} as "people" from (select ${printPersonColumn(sources, printing)}${list.join('')}\n${level}) as "q"\ngroup by ${names.join(', ')}\nlimit ${LIMITS.queryGroupsMax + 1}`,
    parameters,
  }
}
