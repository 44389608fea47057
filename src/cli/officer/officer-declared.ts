import type { Command } from 'commander'
import { basisRequestSchema } from '../../protocol/law/basis-record.ts'
import type { DeclaredBasisView, WireBasesDeclaration } from '../../sdk/officer.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'
import { manifestFiles } from '../trade/policy-plan.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface DeclareOptions extends OfficerOptions {
  readonly endOthers?: boolean
}

/** `hedgerow officer basis plan` and `apply`: legal bases as files, with a plan before they apply. */
export function addDeclaredVerbs(basis: Command, session: Session): void {
  addDeclaredVerb(basis, session, {
    name: 'plan <path...>',
    summary: 'say what applying files of records (or directories of them) would change',
    example: 'hedgerow officer basis plan bases/ --site galway --as world-sport',
    isDryRun: true,
  })
  addDeclaredVerb(basis, session, {
    name: 'apply <path...>',
    summary: 'put records in force as files say them; what is so already is left alone',
    example: 'hedgerow officer basis apply bases/ --end-others --site galway --as world-sport',
    isDryRun: false,
  })
}

function addDeclaredVerb(
  basis: Command,
  session: Session,
  { isDryRun, ...words }: { name: string; summary: string; example: string; isDryRun: boolean },
): void {
  addSiteOptions(verb(basis, words))
    .option('--end-others', 'end records that are in force and in none of the files')
    .action((paths: string[], options: DeclareOptions) =>
      perform(session, async () => {
        const declared: WireBasesDeclaration['declared'] = []
        for (const file of await manifestFiles(paths))
          declared.push(await readDocument(basisRequestSchema, file))
        const seat = await connectOfficer(session, options)
        const items = await seat.declareBases({ declared, isDryRun, endsOthers: options.endOthers === true })
        show(session, {
          json: options.json,
          value: { items },
          print: () => printDeclared(session, { items, isDryRun }),
        })
      }),
    )
}

const SIGNS = { add: '+', change: '~', people: '~', end: '-', none: '=' } as const

function printDeclared(
  { terminal }: Session,
  { items, isDryRun }: { items: readonly DeclaredBasisView[]; isDryRun: boolean },
): void {
  for (const { kind, reference, action, basis, ends, changes, added = 0, removed = 0 } of items) {
    const which = basis === undefined ? '' : ` (${basis})`
    say(terminal, `${SIGNS[action]} ${kind.replaceAll('_', ' ')} ${reference}${which}`)
    for (const { field, from = '(none)', to = '(none)' } of changes)
      say(terminal, `    ${field}: ${from} → ${to}`)
    if (action === 'people') say(terminal, `    people: ${added} come in, ${removed} go out`)
    if (ends.length > 0) say(terminal, `    ${isDryRun ? 'would end' : 'ended'}: ${ends.join(', ')}`)
  }
  const due = items.filter(({ action }) => action !== 'none').length
  if (due === 0) say(terminal, 'Everything is as the files say')
  else say(terminal, isDryRun ? `${due} to do; nothing was changed` : `${due} done`)
}
