import type { Command } from 'commander'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { questionSchema } from '../../protocol/ask.ts'
import { MODES } from '../../protocol/mode.ts'
import type { Mode } from '../../protocol/mode.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { REASONS } from '../../protocol/reason.ts'
import { collectPages } from '../../sdk/collect-pages.ts'
import type { Lineage } from '../../site/lineage.ts'
import { publicClient } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { printPosition } from './print-position.ts'
import { readText } from '../open-file.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

/** How a question is told on the command line. */
export interface QuestionOptions {
  readonly sql?: string
  readonly sqlFile?: string
  readonly param?: readonly string[]
  readonly mode: string
}

interface LineageOptions extends QuestionOptions {
  readonly site?: string
  readonly network?: string
  readonly json?: boolean
}

/** `hedgerow lineage`: which columns a question uses, before it is asked. Nothing is sent to a site. */
export function addLineageVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'lineage',
    summary:
      'which columns a question uses, in which clause, and in which outputs each can be seen; asks nobody',
    example:
      'hedgerow lineage --sql "select sport, avg(height) from athletes where sex = \'F\' group by sport"',
  })
    .option('--sql <text>', 'the question in SQL')
    .option('--sql-file <file>', 'the question in a file')
    .option('--param <value...>', 'parameters of the SQL in order')
    .option('--mode <mode>', `release mode: ${MODES.join(', ')}`, 'aggregate')
    .option('--site <name>', 'as this site offers it; absent: the first that does')
    .option('--network <url>', 'address of the network')
    .action((options: LineageOptions) => perform(session, () => printLineage(session, options)))
}

async function printLineage(session: Session, options: LineageOptions): Promise<number> {
  const mode = modeOf(options.mode)
  const { sql, parameters } = await questionOf(options)
  const client = await publicClient(session, options)
  const offers = await collectPages((cursor) =>
    client.call(NETWORK_API.listOffers, { query: { site: options.site, cursor, limit: 200 } }),
  )
  if (options.site !== undefined && offers.length === 0)
    throw new WrongUse(`The site "${options.site}" offers nothing: look at "hedgerow offers"`)
  const { lineageOf } = await import('../../site/lineage.ts')
  // Of several sites that offer one data set, the first by name stands for it.
  const lineage = lineageOf({ sql, parameters, mode }, offers.toReversed())
  const { terminal } = session
  if (!lineage.ok) {
    const { code, detail = REASONS[code].forAsker, position } = lineage.error
    show(session, {
      json: options.json,
      value: { reason: code, detail, position },
      print: () => {
        say(terminal, `${paint(terminal, 'bad', code)}  ${detail}`)
        if (position !== undefined) printPosition(terminal, { text: sql, position })
      },
    })
    return EXIT.fellShort
  }
  show(session, { json: options.json, value: lineage.value, print: (value) => print(session, value) })
  return EXIT.done
}

/** The mode of a name, or the sentence that tells which there are. */
export function modeOf(name: string): Mode {
  const mode = MODES.find((one) => one === name)
  if (!mode) throw new WrongUse(`Cannot use the mode "${name}": expected one of ${MODES.join(', ')}`)
  return mode
}

/** The question that is told. */
export async function questionOf({ sql, sqlFile, param = [] }: QuestionOptions) {
  if ((sql === undefined) === (sqlFile === undefined))
    throw new WrongUse('Say what is asked with exactly one of --sql and --sql-file')
  const question = { sql: await sqlOf({ sql, sqlFile }), parameters: param }
  const parsed = parseWith(questionSchema, question)
  if (!parsed.ok) throw new WrongUse(`Cannot read the question: ${describeProblems(parsed.error)}`)
  if (!('sql' in parsed.value)) throw new WrongUse('Only SQL has a lineage')
  return parsed.value
}

/** The SQL that was typed, or that a file holds. */
export async function sqlOf({
  sql,
  sqlFile = '',
}: {
  sql?: string | undefined
  sqlFile?: string | undefined
}): Promise<string> {
  if (sql === undefined) return readText(sqlFile)
  if (sql.trim() === '') throw new WrongUse('Say what is asked: --sql is empty')
  return sql
}

function print({ terminal }: Session, { uses, digest }: Lineage): void {
  table(terminal, {
    head: ['data set', 'column', 'clause', 'seen in'],
    rows: uses.map(({ dataSet, column, clause, outputs }) => [
      dataSet,
      paint(terminal, 'strong', column),
      clause,
      outputs.join(', '),
    ]),
  })
  say(terminal, paint(terminal, 'dim', `lineage ${digest}`))
}
