import type { Command } from 'commander'
import { MODES } from '../../protocol/mode.ts'
import type { Explanation } from '../../sdk/issuer.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { EXIT } from '../failures.ts'
import { modeOf, questionOf } from '../trade/lineage.ts'
import type { QuestionOptions } from '../trade/lineage.ts'
import { printPosition } from '../trade/print-position.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

type ExplainOptions = SiteOptions & QuestionOptions & { readonly json?: boolean }

/** `hedgerow site explain`: the statements a question becomes, for the operator of the site. */
export function addExplainVerb(site: Command, session: Session): void {
  addSiteOptions(
    verb(site, {
      name: 'explain',
      summary: 'show the operator what the engine is given for a question; nothing is run',
      example:
        'hedgerow site explain --site galway --sql "select sex, avg(height) from athletes group by sex"',
    })
      .option('--sql <text>', 'the question in SQL')
      .option('--sql-file <file>', 'the question in a file')
      .option('--param <value...>', 'parameters of the SQL in order')
      .option('--mode <mode>', `release mode: ${MODES.join(', ')}`, 'aggregate'),
  ).action((options: ExplainOptions) => perform(session, () => explain(session, options)))
}

async function explain(session: Session, options: ExplainOptions): Promise<number> {
  const mode = modeOf(options.mode)
  const { sql, parameters } = await questionOf(options)
  const { administration } = await connectToSite(session, options)
  const explanation = await administration.explain({ sql, parameters, mode })
  show(session, {
    json: options.json,
    value: explanation,
    print: () => print(session, { explanation, sql }),
  })
  return explanation.decline ? EXIT.fellShort : EXIT.done
}

function print(
  { terminal }: Session,
  { explanation: { statements, decline }, sql }: { explanation: Explanation; sql: string },
): void {
  if (decline) {
    say(terminal, `${paint(terminal, 'bad', decline.reason)}  ${decline.detail}`)
    if (decline.position !== undefined) printPosition(terminal, { text: sql, position: decline.position })
  }
  for (const statement of statements) {
    say(terminal, paint(terminal, 'strong', `-- ${statement.what}`))
    say(terminal, `${statement.sql};`)
    for (const [index, value] of statement.parameters.entries())
      say(terminal, paint(terminal, 'dim', `-- $${index + 1} = ${value}`))
  }
}
