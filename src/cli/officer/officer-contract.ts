import type { Command } from 'commander'
import { formatDate, formatInstant } from '../../kernel/clock.ts'
import { contractRequestSchema } from '../../protocol/law/processing-contract.ts'
import type { ContractView, CustodyEnd, MissingContract } from '../../sdk/officer-contracts.ts'
import { EXIT } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'

/** `hedgerow officer contract …`: under which contracts a custodian processes. */
export function addContractVerbs(officer: Command, session: Session): void {
  const contract = officer
    .command('contract')
    .description('contracts of processing and arrangements of joint controllers, without which nothing runs')
  addSiteOptions(
    verb(contract, {
      name: 'list',
      summary: 'contracts that are recorded, data sets that none covers, and what is due after an end',
      example: 'hedgerow officer contract list --site galway',
    }),
  ).action((options: OfficerOptions) => perform(session, () => list(session, options)))
  addSiteOptions(
    verb(contract, {
      name: 'record',
      summary:
        'record a contract; the one of the same reference ends with it, the same again changes nothing',
      example: 'hedgerow officer contract record --file contract.yaml --site galway --as world-sport',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: kind, controller, reference, subject, concludedOn and what the kind asks for',
    )
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const request = await readDocument(contractRequestSchema, options.file)
        showContract(session, options, await (await connectOfficer(session, options)).recordContract(request))
      }),
    )
  addSiteOptions(
    verb(contract, {
      name: 'confirm <contract>',
      summary: 'say that a contract stands which the other party recorded',
      example: 'hedgerow officer contract confirm contract_01J… --site galway --as world-sport',
    }),
  ).action((id: string, options: OfficerOptions) =>
    perform(session, async () => {
      showContract(session, options, await (await connectOfficer(session, options)).confirmContract(id))
    }),
  )
  addSiteOptions(
    verb(contract, {
      name: 'end <contract>',
      summary: 'end a contract: nothing runs under it from now on, runs under way included',
      example:
        'hedgerow officer contract end contract_01J… --reason "notice was given" --site galway --as world-sport',
    }),
  )
    .requiredOption('--reason <text>', 'why it ends')
    .action((id: string, options: OfficerOptions & { reason: string }) =>
      perform(session, async () => {
        const seat = await connectOfficer(session, options)
        showContract(session, options, await seat.endContract(id, options.reason))
      }),
    )
}

async function list(session: Session, options: OfficerOptions): Promise<number> {
  const found = await (await connectOfficer(session, options)).contracts()
  show(session, {
    json: options.json,
    value: found,
    print: ({ items, missing, ended }) => {
      if (items.length === 0) say(session.terminal, 'Nothing is recorded')
      else
        table(session.terminal, {
          head: ['contract', 'kind', 'reference', 'controller', 'data sets', 'concluded', 'until', 'state'],
          rows: items.map((item) => [
            item.contract,
            item.kind.replaceAll('_', ' '),
            item.reference,
            item.controller,
            item.dataSets === 'all' ? 'all' : item.dataSets.join(', '),
            item.concludedOn,
            item.validUntil === undefined ? '' : formatDate(item.validUntil),
            item.state.replaceAll('_', ' '),
          ]),
        })
      for (const { contract, controller, processor, recordedBy } of items.filter(isOneSided))
        say(
          session.terminal,
          `Not confirmed yet: ${contract}, by ${recordedBy === 'operator' ? controller : processor}`,
        )
      for (const one of ended) say(session.terminal, endedText(one))
      for (const one of missing) say(session.terminal, paint(session.terminal, 'warn', missingText(one)))
    },
  })
  return found.missing.length === 0 ? EXIT.done : EXIT.fellShort
}

/** What has not ended and only one party has said. */
function isOneSided({ state, confirmedAt }: ContractView): boolean {
  return confirmedAt === undefined && state !== 'ended' && state !== 'expired'
}

function endedText({ dataSet, controller, afterEnd, returnedAt, deletedAt }: CustodyEnd): string {
  const deleted = `was deleted on ${formatDate(deletedAt)}`
  if (returnedAt !== undefined)
    return `Ended: ${dataSet} went back to ${controller} on ${formatDate(returnedAt)}, and ${deleted}`
  return afterEnd === 'deletion'
    ? `Ended: ${dataSet} of ${controller} ${deleted}`
    : `Ended: ${dataSet} of ${controller} ${deleted}; nobody said that all of it had gone back`
}

function missingText(one: MissingContract): string {
  const { dataSet, controller, needs, contract, since, parts = [], returnedAt } = one
  if (needs === 'contract') return `Missing: a contract with ${controller} for ${dataSet}; asks are declined`
  if (needs === 'confirmation')
    return `Missing: that ${controller} confirms ${contract ?? ''} for ${dataSet}; asks are declined`
  const ended = `${contract ?? ''} ended on ${since === undefined ? '' : formatInstant(since)}`
  return needs === 'return'
    ? `Due: give ${dataSet} back to ${controller} (${parts.join(', ')}) and retire it; ${ended}`
    : `Due: retire ${dataSet}, which deletes it; ${ended}${returnedAt === undefined ? '' : `, it went back on ${formatDate(returnedAt)}`}`
}

function showContract(session: Session, { json }: OfficerOptions, contract: ContractView): void {
  show(session, {
    json,
    value: contract,
    print: ({ contract: id, state }) => say(session.terminal, `${id} is ${state.replaceAll('_', ' ')}`),
  })
}
