import { formatDate } from '../../kernel/clock.ts'
import { purposeName } from '../../protocol/words/plain-words.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'

/** `hedgerow dataset usage`: the map of use of a data set, for its issuer and the operator. */
export async function printColumnUses(
  session: Session,
  { dataSet, options }: { dataSet: string; options: SiteOptions & { readonly json?: boolean } },
): Promise<void> {
  const { administration, site } = await connectToSite(session, options)
  const used = await administration.columnUses(dataSet)
  const { terminal } = session
  show(session, {
    json: options.json,
    value: used,
    print: () => {
      if (used.columns.length === 0) say(terminal, `Nothing of ${dataSet} at ${site} has been used yet`)
      else
        table(terminal, {
          head: ['column', 'clause', 'acquirer', 'purpose', 'releases', 'last'],
          rows: used.columns.flatMap(({ column, uses }) =>
            uses.map(({ clause, acquirer, purpose, releases, lastAt }) => [
              paint(terminal, 'strong', column),
              clause,
              acquirer,
              purposeName(purpose),
              String(releases),
              formatDate(lastAt),
            ]),
          ),
        })
      if (used.neverUsed.length > 0) say(terminal, `never used: ${used.neverUsed.join(', ')}`)
    },
  })
}
