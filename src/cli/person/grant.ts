import type { Command } from 'commander'
import type { GrantState } from '../../protocol/consent/grant.ts'
import { granteeName, modeName, purposeName, shortMomentText } from '../../protocol/words/plain-words.ts'
import { MODES } from '../../protocol/mode.ts'
import { openSiteAdministration } from '../../sdk/issuer.ts'
import type { GrantView, GrantsChanged, SiteAdministration } from '../../sdk/issuer.ts'
import { counted } from '../../kernel/counted.ts'
import { WrongUse } from '../failures.ts'
import { addAskAgainVerb } from './grant-ask-again.ts'
import { addSignInOptions, connectForPerson } from './person.ts'
import type { SignInOptions } from './person.ts'
import { openPersonRecords } from '../../sdk/person.ts'
import { requireRecordFormat, writeConsents } from './person-consents.ts'
import { readGrants, readRefusal, readRevocations, readTerms } from './read-grants.ts'
import type { GrantFlags } from './read-grants.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, progress, say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface GrantOptions extends SignInOptions, GrantFlags {
  readonly limit?: string
  readonly json?: boolean
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
  const terms = readTerms(options)
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
  const refusal = readRefusal(options)
  const administration = await administrationOf(session, options)
  const changed = await administration.refuseGrant(refusal)
  show(session, {
    json: options.json,
    value: changed,
    print: () => say(session.terminal, 'The refusal is noted; it costs the person nothing'),
  })
}

async function giveTerms(session: Session, options: GrantOptions): Promise<void> {
  const grants = await readGrants(options)
  const administration = await administrationOf(session, options)
  const line = progress(session.terminal)
  const changed = await administration
    .giveGrants(grants, (done) => line.show(`${done} of ${grants.length} grants`))
    .finally(() => line.end())
  showChange(session, { options, changed, done: 'given', same: 'were given already' })
}

async function revoke(session: Session, options: GrantOptions): Promise<void> {
  const revocations = await readRevocations(options)
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
        changed.changed === 0 && awaiting > 0
          ? `${counted(awaiting, 'grant')} ${awaiting === 1 ? 'waits' : 'wait'} for the other guardian to agree${rest}`
          : `${changed.changed} ${changed.changed === 1 ? 'grant is' : 'grants are'} ${done}, in force from sequence ${changed.sequence}${rest}${waiting}`,
      ),
  })
}

async function list(session: Session, options: GrantOptions): Promise<void> {
  if (options.format !== undefined) return listRecords(session, options)
  if (options.out !== undefined)
    throw new WrongUse('Cannot use --out: it is of the records of a person, with --format 27560')
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
  await writeConsents(session, { records, form: 'records', out: options.out, json: options.json })
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
