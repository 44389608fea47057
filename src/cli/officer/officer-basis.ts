import { formatDate } from '../../kernel/clock.ts'
import type { Command } from 'commander'
import { purposeName } from '../../protocol/words/plain-words.ts'
import { basisRequestSchema, basisSource } from '../../protocol/law/basis-record.ts'
import type { BasisView } from '../../sdk/officer.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'
import { addDeclaredVerbs } from './officer-declared.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

/** `hedgerow officer basis …`: what legal bases other than consent rest on. */
export function addBasisVerbs(officer: Command, session: Session): void {
  const basis = officer
    .command('basis')
    .description('what legal bases other than consent rest on: contract, law, permit, interest, employment')
  addSiteOptions(
    verb(basis, {
      name: 'list',
      summary: 'records of legal bases, and those that are needed and missing',
      example: 'hedgerow officer basis list --site galway',
    }),
  ).action((options: OfficerOptions) => perform(session, () => list(session, options)))
  addSiteOptions(
    verb(basis, {
      name: 'record',
      summary: 'record what a legal basis rests on; uses on it are declined without one in force',
      example: 'hedgerow officer basis record --file permit.yaml --site galway --as world-sport',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: kind, dataSets, purposes, reference, validUntil, people and what the kind asks for',
    )
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const request = await readDocument(basisRequestSchema, options.file)
        const recorded = await (await connectOfficer(session, options)).recordBasis(request)
        showBasis(session, options, recorded)
      }),
    )
  addDeclaredVerbs(basis, session)
  addSiteOptions(
    verb(basis, {
      name: 'people <basis>',
      summary: 'add people to those whom a basis lists, or take them away, as the issuer',
      example: 'hedgerow officer basis people basis_01J… --remove left.txt --site galway --as world-sport',
    }),
  )
    .option('--add <file>', 'keys of people, one a line')
    .option('--remove <file>', 'keys of people, one a line')
    .action((id: string, options: OfficerOptions & { add?: string; remove?: string }) =>
      perform(session, async () => {
        const [add, remove] = [await keysIn(options.add), await keysIn(options.remove)]
        if (add.length + remove.length === 0) throw new WrongUse('Say whom, with --add FILE or --remove FILE')
        const seat = await connectOfficer(session, options)
        showBasis(session, options, await seat.changeBasisPeople(id, { add, remove }))
      }),
    )
  addSiteOptions(
    verb(basis, {
      name: 'end <basis>',
      summary: 'end a basis: nothing stands on it from now on, runs under way included',
      example:
        'hedgerow officer basis end basis_01J… --reason "the permit was withdrawn" --site galway --as world-sport',
    }),
  )
    .requiredOption('--reason <text>', 'why it ends')
    .action((id: string, options: OfficerOptions & { reason: string }) =>
      perform(session, async () => {
        const ended = await (await connectOfficer(session, options)).endBasis(id, options.reason)
        showBasis(session, options, ended)
      }),
    )
}

/** Bases as a table. */
export function printBases(session: Session, items: readonly BasisView[]): void {
  table(session.terminal, {
    head: ['basis', 'kind', 'resting on', 'data sets', 'purposes', 'people', 'until', 'state'],
    rows: items.map((item) => [
      item.basis,
      item.kind.replaceAll('_', ' '),
      basisSource(item),
      item.dataSets.join(', '),
      item.purposes.map((purpose) => purposeName(purpose)).join(', '),
      item.people === 'everybody' ? 'everybody' : String(item.listed ?? 0),
      formatDate(item.validUntil),
      item.state.replaceAll('_', ' '),
    ]),
  })
}

async function list(session: Session, options: OfficerOptions): Promise<number> {
  const found = await (await connectOfficer(session, options)).bases()
  show(session, {
    json: options.json,
    value: found,
    print: ({ items, missing }) => {
      if (items.length === 0) say(session.terminal, 'Nothing is recorded')
      else printBases(session, items)
      for (const { dataSet, purpose, needs, for: what } of missing)
        say(
          session.terminal,
          paint(
            session.terminal,
            'warn',
            `Missing: ${needs.replaceAll('_', ' ')} of ${dataSet} for ${purposeName(purpose)}; declined without: ${what}`,
          ),
        )
    },
  })
  return found.missing.length === 0 ? EXIT.done : EXIT.fellShort
}

function showBasis(session: Session, { json }: OfficerOptions, basis: BasisView): void {
  show(session, {
    json,
    value: basis,
    print: ({ basis: id, state }) => say(session.terminal, `${id} is ${state.replaceAll('_', ' ')}`),
  })
}

async function keysIn(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return []
  const lines = (await readNamed(file)).split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '')
}
