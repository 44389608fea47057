import type { Command } from 'commander'
import {
  NOTICE_LANGUAGES,
  REGISTER_FORMATS,
  assessmentRequestSchema,
  partyContactSchema,
} from '../../protocol/http/officer-api.ts'
import { openRightsDesk } from '../../sdk/rights.ts'
import { connectToSite } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { readMemberProfile } from '../member-profile.ts'
import { addAuthorityVerbs } from './officer-authority.ts'
import { addAssessmentFileVerbs } from './officer-assessment-files.ts'
import { addContractVerbs } from './officer-contract.ts'
import { addSubProcessorVerbs } from './officer-sub-processor.ts'
import { addBasisVerbs } from './officer-basis.ts'
import { addIncidentVerbs } from './officer-incident.ts'
import { printSentNotices } from '../trade/notices.ts'
import { addNameVerb } from './officer-name.ts'
import { connectOfficer, deliver, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'
import { printRegister } from './print-register.ts'
import { readPublicKeys } from '../public-keys.ts'
import { jsonText } from '../json-output.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface FileOptions extends OfficerOptions {
  readonly out?: string
  readonly format?: string
}

interface NoticeOptions extends FileOptions {
  readonly purpose: string
  readonly language?: string
}

/** `hedgerow officer …`: the seat of a data-protection officer at a site. */
export function addOfficerVerbs(program: Command, session: Session): void {
  const officer = program.command('officer').description('the data-protection officer’s seat at a site')
  addRegisterVerbs(officer, session)
  addAssessmentVerbs(officer, session)
  addBasisVerbs(officer, session)
  addContractVerbs(officer, session)
  addSubProcessorVerbs(officer, session)
  addAuthorityVerbs(officer, session)
  addTransferVerbs(officer, session)
  addIncidentVerbs(officer, session)
  addRegulatorVerbs(officer, session)
  addNameVerb(officer, session)
  addRecipientsVerb(officer, session)
}

function addRecipientsVerb(officer: Command, session: Session): void {
  addSiteOptions(
    verb(officer, {
      name: 'recipients',
      summary: 'notices to acquirers that were given rows (GDPR Art. 19), with what became of each',
      example: 'hedgerow officer recipients --site galway --open',
    }),
  )
    .option('--open', 'only those that are not acknowledged')
    .action((options: OfficerOptions & { open?: boolean }) =>
      perform(session, async () => {
        const desk = openRightsDesk((await connectToSite(session, options)).client)
        const found = await desk.sentNotices(options.open === true ? 'open' : 'all')
        show(session, {
          json: options.json,
          value: found,
          print: () => printSentNotices(session.terminal, found),
        })
      }),
    )
}

function addRegisterVerbs(officer: Command, session: Session): void {
  addSiteOptions(
    verb(officer, {
      name: 'register',
      summary: 'the register of processing (GDPR Art. 30), made from the terms in force',
      example: 'hedgerow officer register --site galway --format archimate --out register.xml',
    }),
  )
    .option('--format <format>', `a file instead of a summary: ${REGISTER_FORMATS.join(', ')}`)
    .option('--out <file>', 'where to write it; absent: standard output')
    .action((options: FileOptions) => perform(session, () => register(session, options)))
  addSiteOptions(
    verb(officer, {
      name: 'party <member>',
      summary: 'say who a controller or the custodian is, and how to reach it and its officer',
      example: 'hedgerow officer party world-sport --file world-sport.yaml --site galway --as world-sport',
    }),
  )
    .requiredOption('--file <file>', 'YAML: name, address, country, email, dataProtectionOfficer …')
    .action((member: string, options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const contact = await readDocument(partyContactSchema, options.file)
        const kept = await (await connectOfficer(session, options)).describeParty(member, contact)
        show(session, {
          json: options.json,
          value: kept,
          print: () => say(session.terminal, `${member} is ${kept.name}, ${kept.email}`),
        })
      }),
    )
  addSiteOptions(
    verb(officer, {
      name: 'notice <dataset>',
      summary: 'the notice to people (GDPR Art. 13, 14) for a purpose, in a language',
      example:
        'hedgerow officer notice athletes --purpose dpv:AcademicResearch --language de --site galway --format html --out notice.html',
    }),
  )
    .requiredOption('--purpose <purpose>', 'a purpose that the data set is offered for')
    .option('--language <language>', NOTICE_LANGUAGES.join(', '), 'en')
    .option('--format <format>', 'html: a page to print; absent: text')
    .option('--out <file>', 'where to write it; absent: standard output')
    .action((dataSet: string, options: NoticeOptions) =>
      perform(session, () => notice(session, { dataSet, options })),
    )
}

async function register(session: Session, options: FileOptions): Promise<void> {
  const officer = await connectOfficer(session, options)
  const format = options.json === true ? 'json' : options.format
  if (format === undefined) {
    printRegister(session, await officer.register())
    return
  }
  const known = REGISTER_FORMATS.find((each) => each === format)
  if (known === undefined)
    throw new WrongUse(`Cannot use --format ${format}: expected one of ${REGISTER_FORMATS.join(', ')}`)
  const text =
    known === 'json' ? `${jsonText(await officer.register())}\n` : await officer.registerFile(known)
  await deliver(session, { text, out: options.out, json: options.json })
}

async function notice(
  session: Session,
  { dataSet, options }: { dataSet: string; options: NoticeOptions },
): Promise<void> {
  const language = NOTICE_LANGUAGES.find((each) => each === options.language)
  if (language === undefined)
    throw new WrongUse(`Cannot use --language: expected one of ${NOTICE_LANGUAGES.join(', ')}`)
  if (options.format !== undefined && options.format !== 'html')
    throw new WrongUse(`Cannot use --format ${options.format}: expected html, or nothing for text`)
  const officer = await connectOfficer(session, options)
  const request = { dataSet, purpose: options.purpose, language }
  if (options.format === 'html') {
    await deliver(session, {
      text: await officer.noticePage(request),
      out: options.out,
      json: options.json,
    })
    return
  }
  const made = await officer.notice(request)
  show(session, {
    json: options.json,
    value: made,
    print: ({ title, sections, version }) => {
      say(session.terminal, paint(session.terminal, 'strong', title))
      for (const { heading, text, article } of sections) {
        say(session.terminal, `\n${heading} (Art. ${article})`)
        for (const line of text) say(session.terminal, `  ${line}`)
      }
      say(session.terminal, `\n${version}`)
    },
  })
}

function addAssessmentVerbs(officer: Command, session: Session): void {
  const assessment = officer
    .command('assessment')
    .description('impact assessments, without which uses of high risk are declined')
  addSiteOptions(
    verb(assessment, {
      name: 'list',
      summary: 'assessments that are attached, and those that are needed and missing',
      example: 'hedgerow officer assessment list --site galway',
    }),
  ).action((options: OfficerOptions) => perform(session, () => listAssessments(session, options)))
  addSiteOptions(
    verb(assessment, {
      name: 'attach',
      summary: 'attach an approved assessment to a data set and a purpose',
      example: 'hedgerow officer assessment attach --file dpia.yaml --site galway --as world-sport',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: dataSet, purpose, kind, reference, approvedBy, approvedOn, reviewBy; for a lia also balancing',
    )
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const facts = await readDocument(assessmentRequestSchema, options.file)
        const attached = await (await connectOfficer(session, options)).attachAssessment(facts)
        show(session, {
          json: options.json,
          value: attached,
          print: () =>
            say(
              session.terminal,
              `${attached.assessment} is attached to ${attached.dataSet} for ${attached.purpose}`,
            ),
        })
      }),
    )
  addAssessmentFileVerbs(assessment, session)
  addSiteOptions(
    verb(assessment, {
      name: 'withdraw <assessment>',
      summary: 'withdraw an assessment; uses that need one are declined from now on',
      example: 'hedgerow officer assessment withdraw assessment_01J… --site galway --as world-sport',
    }),
  ).action((id: string, options: OfficerOptions) =>
    perform(session, async () => {
      const withdrawn = await (await connectOfficer(session, options)).withdrawAssessment(id)
      show(session, {
        json: options.json,
        value: withdrawn,
        print: () => say(session.terminal, `${id} is withdrawn`),
      })
    }),
  )
}

async function listAssessments(session: Session, options: OfficerOptions): Promise<number> {
  const found = await (await connectOfficer(session, options)).assessments()
  show(session, {
    json: options.json,
    value: found,
    print: ({ items, missing }) => {
      table(session.terminal, {
        head: ['assessment', 'kind', 'data set', 'purpose', 'reference', 'review by', 'state'],
        rows: items.map(({ assessment, kind, dataSet, purpose, reference, reviewBy, state }) => [
          assessment,
          kind,
          dataSet,
          purpose,
          reference,
          reviewBy,
          state.replaceAll('_', ' '),
        ]),
      })
      if (items.length === 0) say(session.terminal, 'Nothing is attached')
      for (const { dataSet, purpose, reason } of missing)
        say(
          session.terminal,
          paint(session.terminal, 'warn', `Missing: ${dataSet} for ${purpose}, because of ${reason}`),
        )
    },
  })
  return found.missing.length === 0 ? EXIT.done : EXIT.fellShort
}

function addTransferVerbs(officer: Command, session: Session): void {
  addSiteOptions(
    verb(officer, {
      name: 'transfers',
      summary: 'grounds for releases to third countries, with dates and conditions, and the switch for each',
      example:
        'hedgerow officer transfers --site galway --remove adequacy-us --reason "annulled this morning"',
    }),
  )
    .option('--remove <ground>', 'from now on nothing is released on it')
    .option('--reason <text>', 'why it is removed')
    .option('--restore <ground>', 'let a removed one count again')
    .action((options: OfficerOptions & { remove?: string; reason?: string; restore?: string }) =>
      perform(session, async () => {
        if (options.remove !== undefined && options.restore !== undefined)
          throw new WrongUse('Say one of --remove and --restore')
        if (options.restore !== undefined && options.reason !== undefined)
          throw new WrongUse('A reason goes with --remove only')
        const seat = await connectOfficer(session, options)
        if (options.remove !== undefined) {
          if (options.reason === undefined) throw new WrongUse('Say why, with --reason')
          await seat.removeTransfer(options.remove, options.reason)
        }
        if (options.restore !== undefined) await seat.restoreTransfer(options.restore)
        const changed = options.remove ?? options.restore
        show(session, {
          json: options.json,
          value: (await seat.transfers()).filter(({ id }) => changed === undefined || id === changed),
          print: (rows) =>
            table(session.terminal, {
              head: ['ground', 'territory', 'condition', 'from', 'until', 'state', 'source'],
              widths: [14, 11, 20, 12, 12, 22, 48],
              rows: rows.map((row) => [
                row.id,
                row.territory,
                row.condition ?? '',
                row.from ?? '',
                row.until ?? '',
                row.removal ? `removed: ${row.removal.reason}` : row.state.replaceAll('_', ' '),
                row.source,
              ]),
            }),
        })
      }),
    )
}

function addRegulatorVerbs(officer: Command, session: Session): void {
  addSiteOptions(
    verb(officer, {
      name: 'regulator <member>',
      summary:
        'let a supervisory authority read the register, receipts, proofs and incidents, and nothing else',
      example: 'hedgerow officer regulator dpc --keys dpc.json --site galway',
    }),
  )
    .option('--keys <file>', 'its public keys; absent: those of the member on this machine')
    .option('--remove', 'end its access')
    .action((member: string, options: OfficerOptions & { keys?: string; remove?: boolean }) =>
      perform(session, async () => {
        const seat = await connectOfficer(session, options)
        if (options.remove === true) {
          await seat.removeRegulator(member)
          show(session, {
            json: options.json,
            value: { member, isRemoved: true },
            print: () => say(session.terminal, `${member} may read here no longer`),
          })
          return
        }
        const keys =
          options.keys === undefined
            ? publicKeysOf(await readMemberProfile(session.home, member))
            : await readPublicKeys(options.keys)
        await seat.registerRegulator({ member, keys })
        show(session, {
          json: options.json,
          value: { member, keys },
          print: () => say(session.terminal, `${member} may read the register, receipts and proofs here`),
        })
      }),
    )
}

function publicKeysOf({ signing, sealing }: Awaited<ReturnType<typeof readMemberProfile>>) {
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
