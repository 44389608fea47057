import type { Command } from 'commander'
import { formatDate } from '../../kernel/clock.ts'
import { authorityDecisionSchema, authorityRequestSchema } from '../../protocol/law/authority-request.ts'
import type { AuthorityRequestView } from '../../sdk/officer.ts'
import { EXIT } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'

/** `hedgerow officer authority …`: what authorities of third countries want of the data here, and what was decided. */
export function addAuthorityVerbs(officer: Command, session: Session): void {
  const authority = officer
    .command('authority')
    .description('requests of authorities of third countries (GDPR Art. 48; Data Governance Act, Art. 31)')
  addSiteOptions(
    verb(authority, {
      name: 'list',
      summary: 'requests and what was decided; exit code 1 when one is overdue',
      example: 'hedgerow officer authority list --site galway --as world-sport',
    }),
  ).action((options: OfficerOptions) => perform(session, () => list(session, options)))
  addSiteOptions(
    verb(authority, {
      name: 'record',
      summary: 'record a request; the holders of the data see it from then on',
      example: 'hedgerow officer authority record --file request.yaml --site galway',
    }),
  )
    .requiredOption('--file <file>', 'YAML: authority, country, reference, receivedAt, instrument, asksFor …')
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const request = await readDocument(authorityRequestSchema, options.file)
        const seat = await connectOfficer(session, options)
        tell(session, options, await seat.recordAuthorityRequest(request, session.ids.next('key')))
      }),
    )
  addSiteOptions(
    verb(authority, {
      name: 'decide <request>',
      summary: 'record what was decided, once: refused on which ground, or given and what',
      example: 'hedgerow officer authority decide authority_01J… --file decision.yaml --site galway',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: decision, ground; or decision, agreement, transferGround, given, least',
    )
    .action((id: string, options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const decision = await readDocument(authorityDecisionSchema, options.file)
        const seat = await connectOfficer(session, options)
        tell(session, options, await seat.decideAuthorityRequest(id, decision))
      }),
    )
}

async function list(session: Session, options: OfficerOptions): Promise<number> {
  const items = await (await connectOfficer(session, options)).authorityRequests()
  show(session, {
    json: options.json,
    value: { items },
    print: () => {
      if (items.length === 0) say(session.terminal, 'No authority has asked for anything')
      else
        table(session.terminal, {
          head: [
            'request',
            'received',
            'authority',
            'country',
            'about',
            'answer by',
            'state',
            'holders know',
          ],
          rows: items.map((item) => [
            item.request,
            formatDate(item.receivedAt),
            `${item.authority} (${item.reference})`,
            item.country,
            item.dataSets === 'all' ? 'all' : item.dataSets.join(', '),
            item.answerBy ?? '',
            item.state,
            item.holders.every(({ seesSince }) => seesSince !== undefined) ? 'yes' : 'not yet',
          ]),
        })
    },
  })
  return items.some(({ state }) => state === 'overdue') ? EXIT.fellShort : EXIT.done
}

function tell(session: Session, { json }: OfficerOptions, found: AuthorityRequestView): void {
  show(session, {
    json,
    value: found,
    print: ({ request, state }) => say(session.terminal, `${request} is ${state}`),
  })
}
