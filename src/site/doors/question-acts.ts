import { formatInstant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { REASONS } from '../../protocol/reason.ts'
import { explainQuestion } from '../explain-question.ts'
import { columnUsesOf } from '../metering/column-uses.ts'
import type { SiteContext } from '../site-context.ts'
import type { ColumnUsesView, ExplainRequest, ExplanationView, SiteActs } from './site-acts.ts'

/** What issuers and the operator see of questions: which columns they use, and what the engine is given for one. */
export function questionActs(site: SiteContext): Pick<SiteActs, 'columnUses' | 'explainQuestion'> {
  return {
    columnUses: (manifest) => columnUses(site, manifest),
    explainQuestion: (request) => explanation(site, request),
  }
}

async function explanation(site: SiteContext, request: ExplainRequest): Promise<ExplanationView> {
  const explained = await explainQuestion(request, {
    manifests: site.manifests(),
    vault: site.vault,
    now: site.clock.now(),
  })
  if (explained.ok)
    return { statements: explained.value.map((one) => ({ ...one, parameters: [...one.parameters] })) }
  const { code, detail = REASONS[code].forAsker, position } = explained.error
  return {
    statements: [],
    decline: { reason: code, detail, ...(position === undefined ? {} : { position }) },
  }
}

/** The map of use, with the columns that a question may use and none did. Identifiers and free text may stand in none. */
async function columnUses({ db }: SiteContext, manifest: Manifest): Promise<ColumnUsesView> {
  const counted = await columnUsesOf(db, manifest.dataSet)
  const askable = manifest.columns.filter(
    ({ sensitivity }) => sensitivity !== 'direct_identifier' && sensitivity !== 'free_text',
  )
  const byColumn = Map.groupBy(counted, ({ column }) => column)
  return {
    dataSet: manifest.dataSet,
    columns: [...byColumn].map(([column, uses]) => ({
      column,
      uses: uses.map(({ acquirer, purpose, clause, releases, first, last }) => ({
        acquirer,
        purpose,
        clause,
        releases,
        firstAt: formatInstant(first),
        lastAt: formatInstant(last),
      })),
    })),
    neverUsed: askable.map(({ name }) => name).filter((name) => !byColumn.has(name)),
  }
}
