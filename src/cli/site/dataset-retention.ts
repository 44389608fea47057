import type { Command } from 'commander'
import type { z } from 'zod'
import { categoryName, shortMomentText } from '../../protocol/words/plain-words.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import type { retentionViewSchema } from '../../protocol/http/retention-api.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface RetentionOptions extends SiteOptions {
  readonly now?: boolean
  readonly json?: boolean
}

/** `hedgerow dataset retention`: what ends when, and what was deleted because it had ended. */
export function addRetentionVerb(dataset: Command, session: Session): void {
  addSiteOptions(
    verb(dataset, {
      name: 'retention',
      summary: 'what of which data set ends when, and what was deleted because it had ended',
      example: 'hedgerow dataset retention --site galway\nhedgerow dataset retention --site galway --now',
    }),
  )
    .option('--now', 'first delete what has ended, instead of within the minute (the operator)')
    .action((options: RetentionOptions) => perform(session, () => retention(session, options)))
}

async function retention(session: Session, options: RetentionOptions): Promise<void> {
  const { client } = await connectToSite(session, options)
  if (options.now === true) await client.call(SITE_API.sweepRetention)
  const found = await client.call(SITE_API.retention)
  const { terminal } = session
  show(session, {
    json: options.json,
    value: found,
    print: ({ clocks, sweeps, held, erasures }) => {
      if (clocks.length === 0) return say(terminal, 'There are no data sets')
      table(terminal, {
        head: ['data set', 'what', 'ends', 'state'],
        rows: clocks.map(({ dataSet, endsAt, state, ...what }) => [
          dataSet,
          whatEnds(what),
          shortMomentText(endsAt),
          state.replace('_', ' '),
        ]),
      })
      if (held > 0)
        say(
          terminal,
          `Kept past its end for ${held} ${held === 1 ? 'person' : 'people'} who asked for it; used by nobody`,
        )
      if (sweeps.length === 0 && erasures.length === 0) return
      table(terminal, {
        none: 'No rows were deleted',
        head: ['deleted', 'data set', 'what', 'rows', 'in no file since', 'receipt'],
        rows: sweeps.map(({ doneAt, dataSet, category, keptFrom, rows, permanentAt, receipt }) => [
          doneAt === undefined ? 'under way' : shortMomentText(doneAt),
          dataSet,
          keptFrom === undefined
            ? category === undefined
              ? 'all of it'
              : categoryName(category)
            : `rows before ${keptFrom}`,
          String(rows),
          permanentAt === undefined ? '' : shortMomentText(permanentAt),
          receipt === undefined ? '' : String(receipt),
        ]),
      })
      if (erasures.length === 0) return
      table(terminal, {
        head: ['erased', 'issuer', 'people without rows', 'state', 'certificate'],
        rows: erasures.map(({ erasure, issuer, people, state, deletedAt }) => [
          deletedAt === undefined ? 'under way' : shortMomentText(deletedAt),
          issuer,
          String(people),
          state,
          erasure,
        ]),
      })
    },
  })
}

type Ending = Pick<
  z.output<typeof retentionViewSchema>['clocks'][number],
  'scope' | 'name' | 'columns' | 'keptFrom'
>

function whatEnds({ scope, name = '', columns = [], keptFrom = '' }: Ending): string {
  switch (scope) {
    case 'all':
      return 'all of it'
    case 'row':
      return `each row by "${name}"; kept from ${keptFrom}`
    case 'purpose':
      return `for ${purposeLabel(name)}`
    case 'category':
      return `${categoryName(name)} (${columns.join(', ')})`
  }
}
