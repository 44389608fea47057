import type { Command } from 'commander'
import { NOTICE_LANGUAGES, incidentRequestSchema, letterTextSchema } from '../../protocol/http/officer-api.ts'
import { categoryName, shortMomentText } from '../../protocol/words/plain-words.ts'
import { recipientTexts } from '../../protocol/words/recipient-words.ts'
import type { IncidentView, WireIncidentStep } from '../../sdk/officer.ts'
import { counted } from '../../kernel/counted.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { connectOfficer, deliver, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface StepOptions extends OfficerOptions {
  readonly authorityReference?: string
  readonly reasonForDelay?: string
  readonly peopleTold?: string
  readonly letterText?: string
  readonly note?: string
  readonly close?: string
}

/** `hedgerow officer incident …`: a breach of personal data, from when it is known to when it is closed. */
export function addIncidentVerbs(officer: Command, session: Session): void {
  const incident = officer
    .command('incident')
    .description('breaches of personal data, with the clock of GDPR Art. 33')
  addSiteOptions(
    verb(incident, {
      name: 'open',
      summary: 'open an incident: who is affected is computed, and the clock runs from when it was known',
      example: 'hedgerow officer incident open --file incident.yaml --site galway --as world-sport',
    }),
  )
    .requiredOption(
      '--file <file>',
      'YAML: title, nature, awareAt, scope, risk, language, description, consequences, measures',
    )
    .action((options: OfficerOptions & { file: string }) =>
      perform(session, async () => {
        const facts = await readDocument(incidentRequestSchema, options.file)
        const seat = await connectOfficer(session, options)
        return tell(session, {
          options,
          incident: await seat.openIncident(facts, session.ids.next('key')),
        })
      }),
    )
  addSiteOptions(
    verb(incident, {
      name: 'list',
      summary:
        'incidents with their clocks; exit code 1 when the authority is owed a notification and time is over',
      example: 'hedgerow officer incident list --site galway',
    }),
  ).action((options: OfficerOptions) => perform(session, () => list(session, options)))
  addSiteOptions(
    verb(incident, {
      name: 'show <incident>',
      summary: 'one incident, or the filled form for the authority',
      example: 'hedgerow officer incident show incident_01J… --form --out form.html --site galway',
    }),
  )
    .option('--form', 'the form of Art. 33(3) as a page')
    .option('--out <file>', 'where to write it; absent: standard output')
    .action((id: string, options: OfficerOptions & { form?: boolean; out?: string }) =>
      perform(session, async () => {
        const seat = await connectOfficer(session, options)
        if (options.form !== true) return tell(session, { options, incident: await seat.incident(id) })
        await deliver(session, { text: await seat.incidentPage(id), out: options.out, json: options.json })
        return EXIT.done
      }),
    )
  addStepVerb(incident, session)
  addLettersVerb(incident, session)
}

function addLettersVerb(incident: Command, session: Session): void {
  addSiteOptions(
    verb(incident, {
      name: 'letters <incident>',
      summary: 'the letter to the people affected (Art. 34), and the keys of those it goes to',
      example:
        'hedgerow officer incident letters incident_01J… --language de --site galway --as world-sport --json',
    }),
  )
    .option('--language <language>', 'en, de, fr', 'en')
    .action((id: string, options: OfficerOptions & { language?: string }) =>
      perform(session, async () => {
        const seat = await connectOfficer(session, options)
        const letters = await seat.letters(id, languageOf(options.language))
        show(session, {
          json: options.json,
          value: letters,
          print: ({ subject, text, people }) => {
            say(session.terminal, paint(session.terminal, 'strong', subject))
            for (const line of text) say(session.terminal, line)
            say(
              session.terminal,
              `\nIt goes to ${people.length.toLocaleString('en')} people; --json names them`,
            )
          },
        })
      }),
    )
}

function addStepVerb(incident: Command, session: Session): void {
  addSiteOptions(
    verb(incident, {
      name: 'step <incident>',
      summary: 'record that the authority or the people were told, a note, or that it is closed',
      example: 'hedgerow officer incident step incident_01J… --authority-reference DPC-2026-77 --site galway',
    }),
  )
    .option('--authority-reference <number>', 'the authority was told; under which number it keeps it')
    .option('--reason-for-delay <text>', 'needed when that is after the deadline')
    .option('--people-told <how>', 'the people were told, and how')
    .option('--letter-text <file>', 'YAML: language, consequences, measures, for letters in that language')
    .option('--note <text>', 'anything else')
    .option('--close <why>', 'it is closed, and why')
    .action((id: string, options: StepOptions) =>
      perform(session, async () => {
        const seat = await connectOfficer(session, options)
        const step = await stepOf(options)
        return tell(session, { options, incident: await seat.addStep(id, step, session.ids.next('key')) })
      }),
    )
}

async function stepOf({
  authorityReference,
  reasonForDelay,
  peopleTold,
  letterText,
  note,
  close,
}: StepOptions): Promise<WireIncidentStep> {
  const steps: WireIncidentStep[] = [
    ...(authorityReference === undefined
      ? []
      : [
          {
            step: 'authority-told' as const,
            reference: authorityReference,
            ...(reasonForDelay === undefined ? {} : { reasonForDelay }),
          },
        ]),
    ...(peopleTold === undefined ? [] : [{ step: 'people-told' as const, how: peopleTold }]),
    ...(letterText === undefined
      ? []
      : [{ step: 'letter-text' as const, ...(await readDocument(letterTextSchema, letterText)) }]),
    ...(note === undefined ? [] : [{ step: 'note' as const, text: note }]),
    ...(close === undefined ? [] : [{ step: 'closed' as const, text: close }]),
  ]
  const [only, ...others] = steps
  if (only && others.length === 0) return only
  throw new WrongUse('Say one step: --authority-reference, --people-told, --letter-text, --note or --close')
}

function languageOf(text: string | undefined): (typeof NOTICE_LANGUAGES)[number] {
  const language = NOTICE_LANGUAGES.find((each) => each === text)
  if (language === undefined)
    throw new WrongUse(`Cannot use --language: expected one of ${NOTICE_LANGUAGES.join(', ')}`)
  return language
}

async function list(session: Session, options: OfficerOptions): Promise<number> {
  const found = await (await connectOfficer(session, options)).incidents()
  show(session, {
    json: options.json,
    value: found,
    print: (incidents) => {
      if (incidents.length === 0) say(session.terminal, 'There are no incidents')
      table(session.terminal, {
        head: ['incident', 'title', 'risk', 'people', 'state', 'authority'],
        rows: incidents.map((incident) => [
          incident.incident,
          incident.title,
          incident.risk,
          incident.affected.people.toLocaleString('en'),
          incident.state.replaceAll('_', ' '),
          clockText(incident),
        ]),
      })
    },
  })
  return found.some(({ authority }) => authority.isOverdue) ? EXIT.fellShort : EXIT.done
}

function tell(
  session: Session,
  { options, incident }: { options: OfficerOptions; incident: IncidentView },
): number {
  const { terminal } = session
  show(session, {
    json: options.json,
    value: incident,
    print: ({ affected }) => {
      say(terminal, `${incident.incident}: ${incident.title} (${incident.state.replaceAll('_', ' ')})`)
      say(terminal, `  authority: ${clockText(incident)}`)
      say(
        terminal,
        `  ${counted(affected.people, 'person', 'people')}, ${counted(affected.releases, 'release')}, to ${recipientTexts(affected).join(', ') || 'nobody'}`,
      )
      if (affected.categories.length === 0) return
      say(
        terminal,
        `  ${affected.categories.map((category) => categoryName(category)).join(', ')}${affected.hasSpecialCategories ? '; special categories among them' : ''}`,
      )
    },
  })
  return incident.authority.isOverdue ? EXIT.fellShort : EXIT.done
}

function clockText({ authority, risk }: IncidentView): string {
  if (risk === 'unlikely') return 'need not be told'
  if (!authority.isOwed) return 'told'
  const due = shortMomentText(authority.due)
  return authority.isOverdue
    ? `OVERDUE since ${due}`
    : `to be told by ${due}, ${authority.hoursLeft} hours left`
}
