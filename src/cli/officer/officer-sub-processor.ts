import type { Command } from 'commander'
import { subProcessorRequestSchema } from '../../protocol/law/sub-processor.ts'
import type { SubProcessorView } from '../../sdk/officer-contracts.ts'
import { EXIT } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'

/** `hedgerow officer sub-processor …`: whom else a custodian engages, and what controllers say of it. */
export function addSubProcessorVerbs(officer: Command, session: Session): void {
  const group = officer
    .command('sub-processor')
    .description(
      'other processors that the custodian engages, and objections of controllers (GDPR Art. 28(2))',
    )
  addSiteOptions(
    verb(group, {
      name: 'list',
      summary:
        'what was announced and what was said of it; exit code 1 when one waits for an answer or is barred',
      example: 'hedgerow officer sub-processor list --site galway --as world-sport',
    }),
  ).action((options: OfficerOptions) => perform(session, () => list(session, options)))
  addSiteOptions(
    verb(group, {
      name: 'announce',
      summary: 'tell the controller of a contract that another processor is to come in (operator)',
      example: 'hedgerow officer sub-processor announce --file sub-processor.yaml --site galway',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: contract, name, country, task, from; transferBasis for a third country',
    )
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const request = await readDocument(subProcessorRequestSchema, options.file)
        const seat = await connectOfficer(session, options)
        tell(session, options, await seat.announceSubProcessor(request, session.ids.next('key')))
      }),
    )
  addSiteOptions(
    verb(group, {
      name: 'approve <change>',
      summary: 'agree that it comes in (controller)',
      example: 'hedgerow officer sub-processor approve change_01J… --site galway --as world-sport',
    }),
  ).action((change: string, options: OfficerOptions) =>
    perform(session, async () => {
      const seat = await connectOfficer(session, options)
      tell(session, options, await seat.answerSubProcessor(change, { answer: 'approved' }))
    }),
  )
  addRefusals(group, session)
}

function addRefusals(group: Command, session: Session): void {
  const refusals = [
    {
      name: 'object <change>',
      answer: 'objected',
      summary: 'object to it: it does not come in (controller)',
      example:
        'hedgerow officer sub-processor object change_01J… --reason "no seat in the Union" --site galway --as world-sport',
    },
    {
      name: 'withdraw <change>',
      answer: 'withdrawn',
      summary: 'take back what was announced (operator)',
      example: 'hedgerow officer sub-processor withdraw change_01J… --reason "another firm" --site galway',
    },
  ] as const
  for (const { answer, ...texts } of refusals) {
    addSiteOptions(verb(group, texts))
      .requiredOption('--reason <text>', 'why')
      .action((change: string, options: OfficerOptions & { reason: string }) =>
        perform(session, async () => {
          const seat = await connectOfficer(session, options)
          const { reason } = options
          tell(session, options, await seat.answerSubProcessor(change, { answer, reason }))
        }),
      )
  }
}

async function list(session: Session, options: OfficerOptions): Promise<number> {
  const items = await (await connectOfficer(session, options)).subProcessors()
  show(session, {
    json: options.json,
    value: { items },
    print: () => {
      table(session.terminal, {
        none: 'No other processor was announced',
        head: ['change', 'name', 'country', 'task', 'contract', 'from', 'state', 'reason'],
        rows: items.map((item) => [
          item.change,
          item.name,
          item.country,
          item.task,
          item.reference,
          item.from,
          item.state.replaceAll('_', ' '),
          item.reason ?? '',
        ]),
      })
      for (const { name, country } of items.filter(({ state }) => state === 'barred'))
        say(
          session.terminal,
          paint(
            session.terminal,
            'warn',
            `Barred: nothing may go to ${name}, because no ground carries a transfer to ${country} today`,
          ),
        )
    },
  })
  return items.some(({ state }) => state === 'asked' || state === 'barred') ? EXIT.fellShort : EXIT.done
}

function tell(session: Session, { json }: OfficerOptions, found: SubProcessorView): void {
  show(session, {
    json,
    value: found,
    print: ({ change, state, from }) =>
      say(
        session.terminal,
        state === 'announced' || state === 'approved'
          ? `${change} is ${state}, and comes in on ${from}`
          : `${change} is ${state.replaceAll('_', ' ')}`,
      ),
  })
}
