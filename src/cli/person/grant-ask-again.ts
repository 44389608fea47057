import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { granteeName, purposeName } from '../../protocol/words/plain-words.ts'
import { askAgainLines, peopleToAsk } from '../../sdk/ask-again.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface AskAgainOptions extends SiteOptions {
  readonly reason: string
  readonly limit: string
  readonly out?: string
  readonly json?: boolean
}

/** `hedgerow grant ask-again`: whom an issuer has to ask again since the text of a data set changed. */
export function addAskAgainVerb(grant: Command, session: Session): void {
  addSiteOptions(
    verb(grant, {
      name: 'ask-again <dataset>',
      summary: 'whom to ask again, because what they consented to is described otherwise now',
      example:
        'hedgerow grant ask-again athletes --site galway --as world-sport --reason "new columns" --out to-ask.ndjson',
    }),
  )
    .requiredOption('--reason <text>', 'why you look at who they are; each person sees it')
    .option('--limit <number>', 'how many are shown', '50')
    .option('--out <file>', 'all of them, one a line, into a file that you alone can read')
    .action((dataSet: string, options: AskAgainOptions) =>
      perform(session, () => askAgain(session, { dataSet, options })),
    )
}

async function askAgain(
  session: Session,
  { dataSet, options }: { dataSet: string; options: AskAgainOptions },
): Promise<void> {
  const { reason, out, json } = options
  const limit = wholeNumber(options.limit)
  const { client } = await connectToSite(session, options)
  if (out !== undefined) {
    const lines = await askAgainLines(client, { dataSet, reason })
    await pipeline(Readable.fromWeb(lines), createWriteStream(out, { mode: 0o600 }))
    show(session, { json, value: { dataSet, file: out }, print: () => say(session.terminal, out) })
    return
  }
  show(session, {
    json,
    value: await peopleToAsk(client, { dataSet, reason, limit }),
    print: (items) =>
      items.length === 0
        ? say(session.terminal, 'Nobody has to be asked again')
        : table(session.terminal, {
            head: ['person', 'to', 'for'],
            rows: items.flatMap(({ person, granted }) =>
              granted.map(({ grantee, purposes }) => [
                person,
                granteeName(grantee),
                purposes.map((purpose) => purposeName(purpose)).join(', '),
              ]),
            ),
          }),
  })
}
