import type { Command } from 'commander'
import { z } from 'zod'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { grantRequestSchema, grantTermsSchema } from '../../protocol/consent/grant.ts'
import type { GrantState } from '../../protocol/consent/grant.ts'
import { granteeName, modeName, purposeName, shortMomentText } from '../../protocol/words/plain-words.ts'
import { purposeTerm } from '../../protocol/law/purpose.ts'
import { ACQUIRER_CLASSES } from '../../protocol/member.ts'
import { MODES } from '../../protocol/mode.ts'
import { revocationRequestSchema } from '../../protocol/http/site-api.ts'
import { openSiteAdministration } from '../../sdk/issuer.ts'
import type {
  GrantView,
  GrantsChanged,
  SiteAdministration,
  WireGrant,
  WireRevocation,
} from '../../sdk/issuer.ts'
import { WrongUse } from '../failures.ts'
import { openFile } from '../open-file.ts'
import { addAskAgainVerb } from './grant-ask-again.ts'
import { addSignInOptions, connectForPerson } from './person.ts'
import type { SignInOptions } from './person.ts'
import { openPersonRecords } from '../../sdk/person.ts'
import { CONSENT_RECORD_FORMAT, grantsOfConsentRecords, writeConsents } from './person-consents.ts'
import { readRecords } from '../read-records.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, progress, say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface GrantOptions extends SignInOptions {
  readonly dataset?: string
  readonly person?: string
  readonly to?: string
  readonly purpose?: readonly string[]
  readonly mode?: readonly string[]
  readonly columns?: readonly string[]
  readonly explicit?: boolean
  readonly guardian?: boolean | string
  readonly asGuardian?: boolean
  readonly minimumPrice?: string
  readonly from?: string
  readonly until?: string
  readonly file?: string
  readonly notice?: string
  readonly replace?: boolean
  readonly limit?: string
  readonly json?: boolean
  readonly format?: string
  readonly reason?: string
  readonly issuer?: string
  readonly out?: string
}

/** `hedgerow grant …`: people's grants, one by one by flags or in bulk from a file. */
export function addGrantVerbs(program: Command, session: Session): void {
  const grant = program.command('grant').description('people’s grants at a site')
  const give = verb(grant, {
    name: 'give',
    summary: 'give a grant, or many from a file; in force when the verb ends',
    example:
      'hedgerow grant give --site galway --as world-sport --dataset athletes --person 736041664 \\\n    --to class:insurer --purpose dpv:AcademicResearch --mode aggregate --explicit\nhedgerow grant give --site galway --as world-sport --file grants.ndjson',
  })
  addTermsOptions(addSignInOptions(give))
    .option('--person <key>', 'key by which the issuer knows the person')
    .option('--notice <digest>', 'the text that was shown, as "grant preview" gave it; absent: as it stands')
    .option('--replace', 'it takes the place of what the person granted to the same on the data set')
    .option(
      '--file <file>',
      'grants in bulk: NDJSON of grants, or CSV with a header (lists separated by ";")',
    )
    .option('--format <format>', '27560: the file holds consent records of ISO/IEC TS 27560')
    .action((options: GrantOptions) => perform(session, () => giveTerms(session, options)))
  const preview = verb(grant, {
    name: 'preview',
    summary: 'what a grant would allow, in plain words, before it is given; changes nothing',
    example:
      'hedgerow grant preview --site galway --as world-sport --dataset athletes \\\n    --to class:insurer --purpose dpv:AcademicResearch --mode aggregate',
  })
  addTermsOptions(addSignInOptions(preview)).action((options: GrantOptions) =>
    perform(session, () => previewTerms(session, options)),
  )
  const refuse = verb(grant, {
    name: 'refuse',
    summary: 'note that somebody was asked for a grant and refused',
    example:
      'hedgerow grant refuse --site galway --as world-sport --dataset athletes --person 736041664 \\\n    --to class:insurer --purpose dpv:AcademicResearch --mode aggregate',
  })
  addAskAgainVerb(grant, session)
  addTermsOptions(addSignInOptions(refuse))
    .option('--person <key>', 'key by which the issuer knows the person')
    .action((options: GrantOptions) => perform(session, () => refuseTerms(session, options)))
  addSignInOptions(
    verb(grant, {
      name: 'revoke',
      summary: 'revoke grants; in force when the verb ends',
      example: 'hedgerow grant revoke --site galway --as world-sport --dataset athletes --person 736041664',
    }),
  )
    .option('--dataset <name>', 'data set')
    .option('--person <key>', 'key by which the issuer knows the person')
    .option('--to <grantee>', 'only grants to this grantee; absent: all of the person in the data set')
    .option('--file <file>', 'revocations in bulk: NDJSON or CSV with dataSet and person')
    .action((options: GrantOptions) => perform(session, () => revoke(session, options)))
  addSignInOptions(
    verb(grant, {
      name: 'list',
      summary: 'grants at a site',
      example: 'hedgerow grant list --site galway --dataset athletes --limit 20',
    }),
  )
    .option('--dataset <name>', 'only of this data set')
    .option('--person <key>', 'only of this person')
    .option('--limit <number>', 'at most so many', '50')
    .option('--format <format>', '27560: the consent records of one person (ISO/IEC TS 27560)')
    .option('--reason <text>', 'why you look at one person’s records; they will see it')
    .option('--issuer <member>', 'which issuer’s key --person is; needed as the operator')
    .option('--out <file>', 'where to write the records; absent: standard output')
    .action((options: GrantOptions) => perform(session, () => list(session, options)))
}

/** The terms of a grant as options. */
function addTermsOptions(command: Command): Command {
  return command
    .option('--dataset <name>', 'data set')
    .option('--to <grantee>', 'a member, "class:KIND" or "anyone"')
    .option('--purpose <term...>', 'DPV purposes')
    .option('--mode <mode...>', `release modes: ${MODES.join(', ')}`)
    .option('--columns <name...>', 'columns that may be used; absent: all')
    .option('--explicit', 'the person named the special categories in so many words')
    .option(
      '--guardian [key]',
      'given by the person’s guardian; which one, where the issuer passes it on and there are several',
    )
    .option('--as-guardian', 'you are the guardian, and signed in with your own token')
    .option('--minimum-price <cents>', 'least the subjects’ side must earn for each run, in minor units')
    .option('--from <time>', 'valid from (RFC 3339)')
    .option('--until <time>', 'valid until (RFC 3339)')
}

/** As the person or guardian whose token is here, else with a key. */
async function administrationOf(session: Session, options: GrantOptions): Promise<SiteAdministration> {
  return openSiteAdministration((await connectForPerson(session, options)).client)
}

async function previewTerms(session: Session, options: GrantOptions): Promise<void> {
  requireFlags(options, TERMS)
  const terms = checked(grantTermsSchema, termsOf(options))
  const administration = await administrationOf(session, options)
  const preview = await administration.previewGrant(terms)
  show(session, {
    json: options.json,
    value: preview,
    print: ({ answers, notice }) => {
      for (const { question, answer } of answers) {
        say(session.terminal, paint(session.terminal, 'strong', question))
        say(session.terminal, `  ${answer}`)
      }
      say(session.terminal, `\nTo give it to this text: --notice ${notice}`)
    },
  })
}

async function refuseTerms(session: Session, options: GrantOptions): Promise<void> {
  requireFlags(options, [...TERMS, 'person'])
  const refusal = checked(grantTermsSchema.extend({ person: z.string().min(1) }), {
    ...termsOf(options),
    person: options.person,
  })
  const administration = await administrationOf(session, options)
  const changed = await administration.refuseGrant(refusal)
  show(session, {
    json: options.json,
    value: changed,
    print: () => say(session.terminal, 'The refusal is noted; it costs the person nothing'),
  })
}

async function giveTerms(session: Session, options: GrantOptions): Promise<void> {
  const grants = options.file === undefined ? [oneGrant(options)] : await grantsInFile(options.file, options)
  const administration = await administrationOf(session, options)
  const line = progress(session.terminal)
  const changed = await administration
    .giveGrants(grants, (done) => line.show(`${done} of ${grants.length} grants`))
    .finally(() => line.end())
  showChange(session, { options, changed, done: 'given', same: 'were given already' })
}

function grantsInFile(file: string, { format }: GrantOptions): Promise<readonly WireGrant[]> {
  requireRecordFormat(format)
  return format === undefined ? readGrants(file) : grantsOfConsentRecords(file)
}

async function revoke(session: Session, options: GrantOptions): Promise<void> {
  const revocations =
    options.file === undefined ? [oneRevocation(options)] : await readRevocations(options.file)
  const administration = await administrationOf(session, options)
  const changed = await administration.revokeGrants(revocations)
  showChange(session, { options, changed, done: 'revoked', same: 'were not in force' })
}

function showChange(
  session: Session,
  {
    options,
    changed,
    done,
    same,
  }: { options: GrantOptions; changed: GrantsChanged; done: string; same: string },
): void {
  const rest =
    changed.unchanged === 0
      ? ''
      : `; ${changed.unchanged} ${changed.unchanged === 1 ? same.replace('were', 'was') : same}`
  const { awaiting = 0 } = changed
  const waiting =
    awaiting === 0 ? '' : `; ${awaiting} ${awaiting === 1 ? 'waits' : 'wait'} for the other guardian to agree`
  show(session, {
    json: options.json,
    value: changed,
    print: () =>
      say(
        session.terminal,
        `${changed.changed} ${changed.changed === 1 ? 'grant is' : 'grants are'} ${done}, in force from sequence ${changed.sequence}${rest}${waiting}`,
      ),
  })
}

async function list(session: Session, options: GrantOptions): Promise<void> {
  if (options.format !== undefined) return listRecords(session, options)
  const administration = await administrationOf(session, options)
  const grants = await administration.grants({
    dataSet: options.dataset,
    person: options.person,
    limit: wholeNumber(options.limit ?? '50'),
  })
  show(session, {
    json: options.json,
    value: grants,
    print: () =>
      table(session.terminal, {
        none: 'No grants here',
        head: ['grant', 'data set', 'to', 'purposes', 'modes', 'columns', 'by', 'state'],
        rows: grants.map((one) => [
          one.grant,
          one.dataSet,
          granteeName(one.grantee),
          one.purposes.map((purpose) => purposeName(purpose)).join(', '),
          one.modes.map((mode) => modeName(mode)).join('; '),
          one.columns?.join(', ') ?? 'all',
          `${GIVERS[one.givenBy]}${one.isExplicit ? ', explicitly' : ''}`,
          stateText(one),
        ]),
      }),
  })
}

/** A record is about somebody, who sees that it was read. */
async function listRecords(session: Session, options: GrantOptions): Promise<void> {
  requireRecordFormat(options.format)
  const { person, reason, issuer } = options
  if (person === undefined) throw new WrongUse('Say whose records, with --person KEY')
  const { client } = await connectForPerson(session, options)
  const records = openPersonRecords(client, { ref: person, reason, issuer })
  await writeConsents(session, { records, form: 'records', out: options.out })
}

function requireRecordFormat(format: string | undefined): void {
  if (format !== undefined && format !== CONSENT_RECORD_FORMAT)
    throw new WrongUse(`Cannot use --format ${format}: expected ${CONSENT_RECORD_FORMAT}`)
}

function stateText({ state, revokedAt, validUntil }: GrantView): string {
  const words = STATE_WORDS[state]
  if (revokedAt !== undefined) return `${words} ${shortMomentText(revokedAt)}`
  if (validUntil === undefined) return words
  return `${state === 'in_force' ? '' : `${words} `}until ${shortMomentText(validUntil)}`
}

const STATE_WORDS = {
  in_force: 'in force',
  not_yet: 'not yet',
  expired: 'expired,',
  withdrawn: 'revoked',
  superseded: 'replaced',
  guardianship_ended: 'ended with the guardianship',
  needs_guardian: 'a guardian decides at this age',
  needs_both: 'waits for the other: both decide',
  handed_over: 'the person decides alone now: to be confirmed',
  text_changed: 'the text has changed: ask again',
} as const satisfies Record<GrantState, string>

const GIVERS = { self: 'the person', guardian: 'a guardian' } as const satisfies Record<
  GrantView['givenBy'],
  string
>

/** What a grant cannot do without, in the words of the command line. */
function requireFlags(options: GrantOptions, flags: readonly (keyof typeof FLAGS)[], instead = ''): void {
  const missing = flags.filter((flag) => options[flag] === undefined).map((flag) => FLAGS[flag])
  if (missing.length > 0) throw new WrongUse(`Say ${missing.join(', ')}${instead}`)
}

const ONE_OF_MANY = ', or several in a file with --file'
const FLAGS = {
  dataset: '--dataset NAME',
  person: '--person KEY',
  to: '--to GRANTEE',
  purpose: '--purpose TERM',
  mode: '--mode MODE',
} as const

/** What every terms need. */
const TERMS = ['dataset', 'to', 'purpose', 'mode'] as const

function oneGrant(options: GrantOptions): WireGrant {
  requireFlags(options, ['person', ...TERMS], ONE_OF_MANY)
  return checked(grantRequestSchema, {
    ...termsOf(options),
    person: options.person,
    replaces: options.replace ?? false,
    ...(typeof options.guardian === 'string' ? { guardian: options.guardian } : {}),
    ...(options.notice === undefined ? {} : { notice: options.notice }),
    ...(options.from === undefined ? {} : { validFrom: options.from }),
    ...(options.until === undefined ? {} : { validUntil: options.until }),
  })
}

function termsOf(options: GrantOptions): Record<string, unknown> {
  return {
    dataSet: options.dataset,
    grantee: granteeOf(options.to),
    purposes: options.purpose?.map(purposeTerm),
    modes: options.mode,
    ...(options.columns === undefined ? {} : { columns: options.columns }),
    isExplicit: options.explicit ?? false,
    givenBy: options.guardian === undefined && options.asGuardian !== true ? 'self' : 'guardian',
    ...(options.minimumPrice === undefined ? {} : { minimumPriceMinor: wholeNumber(options.minimumPrice) }),
  }
}

function oneRevocation(options: GrantOptions): WireRevocation {
  requireFlags(options, ['dataset', 'person'], ONE_OF_MANY)
  return checked(revocationRequestSchema, {
    dataSet: options.dataset,
    person: options.person,
    ...(options.to === undefined ? {} : { grantee: granteeOf(options.to) }),
  })
}

/** Holds a wire form against its schema and gives the same wire form back. */
function checked<T>(
  schema: Parameters<typeof parseWith>[0] & { readonly _zod: { readonly input: T } },
  value: unknown,
  where = '',
): T {
  const parsed = parseWith(schema, value)
  if (!parsed.ok) throw new WrongUse(`Cannot read the grant${where}: ${describeProblems(parsed.error)}`)
  return value as T
}

function granteeOf(text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (text === 'anyone') return { anyone: true }
  if (EVERYBODY.has(text.toLowerCase()))
    throw new WrongUse(
      `Cannot grant to "${text}": say "anyone" for every member, "class:KIND" for some, or the name of one`,
    )
  if (!text.startsWith('class:')) return { member: text }
  const kind = text.slice('class:'.length)
  const known: readonly string[] = ACQUIRER_CLASSES
  if (!known.includes(kind))
    throw new WrongUse(`There is no class of acquirers "${kind}": expected one of ${known.join(', ')}`)
  return { class: kind }
}

/** Words by which nobody means the member of that name. */
const EVERYBODY: ReadonlySet<string> = new Set([
  'all',
  'any',
  'anybody',
  'everybody',
  'everyone',
  'public',
  '*',
])

const LISTS: ReadonlySet<string> = new Set(['purposes', 'modes', 'columns'])

async function readGrants(file: string): Promise<WireGrant[]> {
  const grants: WireGrant[] = []
  for await (const { line, record } of readRecords(file, await openFile(file))) {
    grants.push(checked(grantRequestSchema, grantOfRecord(record), ` in line ${line} of "${file}"`))
  }
  if (grants.length === 0) throw new WrongUse(`Cannot give grants: "${file}" holds none`)
  return grants
}

async function readRevocations(file: string): Promise<WireRevocation[]> {
  const revocations: WireRevocation[] = []
  for await (const { line, record } of readRecords(file, await openFile(file))) {
    revocations.push(checked(revocationRequestSchema, grantOfRecord(record), ` in line ${line} of "${file}"`))
  }
  if (revocations.length === 0) throw new WrongUse(`Cannot revoke grants: "${file}" holds none`)
  return revocations
}

/** A record of CSV has texts only: lists are separated by semicolons, yes and no are words, an empty field is none. */
function grantOfRecord(record: unknown): unknown {
  if (typeof record !== 'object' || record === null) return record
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => {
        if (typeof value !== 'string') return [name, value]
        if (LISTS.has(name)) return [name, value.split(';').map((part) => part.trim())]
        if (name === 'grantee') return [name, granteeOf(value)]
        if (name === 'isExplicit') return [name, value === 'true']
        return [name, name === 'minimumPriceMinor' ? Number(value) : value]
      }),
  )
}
