import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { CSV_PARTS, EXPORT_FORMATS } from '../../protocol/http/person-api.ts'
import { CSV_KINDS, csvWriter } from '../../protocol/rights/person-export-csv.ts'
import { exportRecordSchema } from '../../protocol/rights/person-export.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import {
  actorName,
  basisName,
  earnedText,
  memberName,
  modeName,
  placeName,
  shortMomentText,
} from '../../protocol/words/plain-words.ts'
import { purposeLabel, purposeTerm } from '../../protocol/law/purpose.ts'
import { carryPerson } from '../../sdk/carry-person.ts'
import type { HttpClient } from '../../sdk/http-client.ts'
import { openPersonRecords } from '../../sdk/person.ts'
import type { PersonRecords, UseView } from '../../sdk/person.ts'
import { connectToSite, connectWithToken } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { counted } from '../../kernel/counted.ts'
import { WrongUse } from '../failures.ts'
import { printSentNotices } from '../trade/notices.ts'
import { openFile, readNamed } from '../open-file.ts'
import { readRecords } from '../read-records.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table, wrapped, write } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

/** How a verb knows who acts: a person by a token, everybody else by a key. */
export interface SignInOptions extends SiteOptions {
  readonly tokenFile?: string
}

export interface PersonOptions extends SignInOptions {
  readonly person?: string
  readonly issuer?: string
  readonly reason?: string
  readonly limit?: string
  readonly format?: string
  readonly out?: string
  readonly json?: boolean
}

/** `hedgerow person …`: what a site has about one person, for them and for whoever may speak for them. */
export function addPersonVerbs(program: Command, session: Session): void {
  const person = program.command('person').description('what a site has about one person, and their rights')
  addNoticesVerb(person, session)
  addPersonOptions(
    verb(person, {
      name: 'uses',
      summary: 'every use of a person’s data: who, why, when, for what money',
      example:
        'hedgerow person uses --site galway --token-file my.token\nhedgerow person uses --site galway --as world-sport --person 736041664 --reason "she asked by telephone"',
    }),
  )
    .option('--limit <number>', 'at most so many', '50')
    .action((options: PersonOptions) => perform(session, () => uses(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'earnings',
      summary: 'what uses of a person’s data earned them',
      example: 'hedgerow person earnings --site galway --token-file my.token',
    }),
  ).action((options: PersonOptions) => perform(session, () => earnings(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'accesses',
      summary: 'who looked at a person’s data by name, this very look included',
      example: 'hedgerow person accesses --site galway --token-file my.token',
    }),
  )
    .option('--limit <number>', 'at most so many', '50')
    .action((options: PersonOptions) => perform(session, () => accesses(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'export',
      summary: 'everything the site has about a person: stored, derived, granted, disclosed',
      example:
        'hedgerow person export --site galway --token-file my.token --out my-data.jsonl\nhedgerow person export --site galway --token-file my.token --format csv --out my-data/',
    }),
  )
    .option(
      '--format <format>',
      `${EXPORT_FORMATS.join(', ')}; jsonl is what "person import" reads, html is to read and print`,
      'jsonl',
    )
    .option('--out <file>', 'file to write, for csv a directory with a file for each table; absent: print it')
    .action((options: PersonOptions) => perform(session, () => exportTo(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'object',
      summary: 'object to a purpose; in force when the verb ends, whatever was granted',
      example:
        'hedgerow person object --site galway --token-file my.token --purpose dpv:Marketing\nhedgerow person object --site galway --token-file my.token --list',
    }),
  )
    .option('--purpose <term>', 'DPV purpose; narrower ones are meant too')
    .option('--dataset <name>', 'only on this data set; absent: on all of the issuer')
    .option('--withdraw', 'take the objection back')
    .option('--list', 'show the objections there are')
    .action((options: ObjectOptions) => perform(session, () => object(session, options)))
  addPersonOptions(
    verb(person, {
      name: 'import <file>',
      summary: 'bring the export of a person from another site here, as the issuer, with nothing lost',
      example: 'hedgerow person import my-data.jsonl --site zurich --as world-sport --person 736041664',
    }),
  ).action((file: string, options: PersonOptions) =>
    perform(session, () => importFrom(session, { file, options })),
  )
}

function addNoticesVerb(person: Command, session: Session): void {
  addPersonOptions(
    verb(person, {
      name: 'notices',
      summary: 'who was told of corrections and restrictions of a person, and what they answered',
      example: 'hedgerow person notices --site galway --token-file my.token',
    }),
  ).action((options: PersonOptions) => perform(session, () => notices(session, options)))
}

interface ObjectOptions extends PersonOptions {
  readonly purpose?: string
  readonly dataset?: string
  readonly withdraw?: boolean
  readonly list?: boolean
}

async function object(session: Session, options: ObjectOptions): Promise<void> {
  const { dataset, withdraw, list, json } = options
  const purpose = options.purpose === undefined ? undefined : purposeTerm(options.purpose)
  const records = await personRecords(session, options)
  if (list === true) {
    const found = await records.objections()
    return show(session, {
      json,
      value: found,
      print: () =>
        table(session.terminal, {
          none: 'There are no objections',
          head: ['for what', 'data set', 'since', 'withdrawn'],
          rows: found.map((one) => [
            purposeLabel(one.purpose),
            one.dataSet ?? `all of ${one.issuer}`,
            shortMomentText(one.madeAt),
            one.withdrawnAt === undefined ? '' : shortMomentText(one.withdrawnAt),
          ]),
        }),
    })
  }
  if (purpose === undefined) throw new WrongUse('Say to what, with --purpose TERM')
  const changed = withdraw
    ? await records.withdrawObjection(purpose, dataset)
    : await records.objectTo(purpose, dataset)
  const done = withdraw ? 'is taken back' : 'is in force'
  show(session, {
    json,
    value: changed,
    print: () =>
      say(
        session.terminal,
        changed.changed === 0 ? 'It was so already' : `The objection to ${purposeLabel(purpose)} ${done}`,
      ),
  })
}

/** The options of every verb that a person can use, for themselves or for a child. */
export function addSignInOptions(command: Command): Command {
  return addSiteOptions(command).option(
    '--token-file <file>',
    'your token of the OpenID Connect provider; or HEDGEROW_PERSON_TOKEN',
  )
}

/** The options of every verb about one person. */
export function addPersonOptions(command: Command): Command {
  return addSignInOptions(command)
    .option(
      '--person <key>',
      'key by which the issuer knows the person, or a child for whom you speak; absent: yourself',
    )
    .option('--issuer <member>', 'which issuer’s key it is; needed as the operator')
    .option('--reason <text>', 'why you look at somebody else’s data; they will see it')
}

/** Connects as the person whose token is here, else with the key of a member or of the operator. */
export async function connectForPerson(
  session: Session,
  options: SignInOptions,
): Promise<{ client: HttpClient; isPerson: boolean }> {
  const bearer = await tokenOf(session, options)
  const { client } =
    bearer === undefined
      ? await connectToSite(session, options)
      : await connectWithToken(session, { options, bearer })
  return { client, isPerson: bearer !== undefined }
}

/** What a site has about the person whom the options name. */
export async function personRecords(session: Session, options: PersonOptions): Promise<PersonRecords> {
  if (options.person === undefined && (await tokenOf(session, options)) === undefined)
    throw new WrongUse('Say whose data, with --person KEY, or who you are, with --token-file FILE')
  const { client } = await connectForPerson(session, options)
  const { person: ref = 'me', issuer, reason } = options
  return openPersonRecords(client, { ref, issuer, reason })
}

/** With `--as` a key speaks, whatever token lies about. A token in the place of its file's name is not said back: whoever reads it may use it. */
export async function tokenOf(
  { environment }: Pick<Session, 'environment'>,
  { tokenFile, as }: SignInOptions,
): Promise<string | undefined> {
  if (as !== undefined) return undefined
  if (tokenFile === undefined) {
    const text = environment['HEDGEROW_PERSON_TOKEN']?.trim() ?? ''
    return text === '' ? undefined : tokenIn(text, 'HEDGEROW_PERSON_TOKEN')
  }
  if (/^\s*(?:bearer\s+)?eyJ[\w-]*\./i.test(tokenFile))
    throw new WrongUse('Cannot use --token-file: expected the name of a file, not what stands in it')
  const text = (await readNamed(tokenFile)).trim()
  if (text === '') throw new WrongUse(`Cannot use "${tokenFile}": it is empty`)
  return tokenIn(text, `"${tokenFile}"`)
}

/** A token of a provider is a compact JWS (RFC 7515 §3.1). What is none could not even be sent where it has several lines. */
function tokenIn(text: string, from: string): string {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return text
  throw new WrongUse(
    `Cannot use ${from}: expected the token as the OpenID Connect provider gives it, three parts with dots between`,
  )
}

async function uses(session: Session, options: PersonOptions): Promise<void> {
  const records = await personRecords(session, options)
  const found = await records.uses(wholeNumber(options.limit ?? '50'))
  show(session, {
    json: options.json,
    value: found,
    print: () =>
      table(session.terminal, {
        none: 'Nobody has used this data',
        head: ['when', 'who', 'for what', 'how', 'data set', 'earned', 'receipt'],
        rows: found.flatMap((use) => [
          [
            shortMomentText(use.time),
            memberName(use.acquirer, use.acquirerName),
            purposeLabel(use.purpose),
            modeName(use.mode),
            use.dataSet,
            use.earned ? earnedText(use.earned) : '',
            String(use.receipt),
          ],
          [wrapped(session.terminal, detailsOfUse(use), '  ')],
        ]),
      }),
  })
}

/** Below a use: which columns, where, and on what basis. */
function detailsOfUse({ columns, releaseTo, legalBasis, bases = [] }: UseView): string {
  const grounds = [legalBasis ?? '', ...bases.map(({ reference }) => reference)]
    .filter((text) => text !== '')
    .map((text) => basisName(text))
  return [
    `columns ${columns.join(', ')}`,
    `used in ${placeName(releaseTo)}`,
    ...(grounds.length === 0 ? [] : [`on the basis of ${grounds.join('; ')}`]),
  ].join('; ')
}

async function earnings(session: Session, options: PersonOptions): Promise<void> {
  const earned = await (await personRecords(session, options)).earnings()
  show(session, {
    json: options.json,
    value: earned,
    print: ({ items, totals }) => {
      if (items.length === 0) return say(session.terminal, 'Nothing was earned yet')
      table(session.terminal, {
        head: ['who', 'data set', 'for what', 'uses', 'earned'],
        rows: items.map((item) => [
          memberName(item.acquirer, item.acquirerName),
          item.dataSet,
          purposeLabel(item.purpose),
          String(item.uses),
          earnedText(item.earned),
        ]),
      })
      say(session.terminal, `In all ${totals.map(earnedText).join(' and ')}`)
    },
  })
}

async function notices(session: Session, options: PersonOptions): Promise<void> {
  const found = await (await personRecords(session, options)).notices()
  show(session, {
    json: options.json,
    value: found,
    print: () => printSentNotices(session.terminal, found),
  })
}

async function accesses(session: Session, options: PersonOptions): Promise<void> {
  const records = await personRecords(session, options)
  const found = await records.accesses(wholeNumber(options.limit ?? '50'))
  show(session, {
    json: options.json,
    value: found,
    print: () =>
      table(session.terminal, {
        head: ['when', 'who', 'what', 'why', 'receipt'],
        rows: found.map(({ time, by, what, reason, receipt }) => [
          shortMomentText(time),
          actorName(by),
          what,
          reason ?? '',
          String(receipt),
        ]),
      }),
  })
}

async function exportTo(session: Session, options: PersonOptions): Promise<void> {
  const { format: named = 'jsonl', out } = options
  const format = EXPORT_FORMATS.find((one) => one === named)
  if (!format) throw new WrongUse(`Cannot export as "${named}": expected one of ${EXPORT_FORMATS.join(', ')}`)
  if (format === 'csv' && out === undefined)
    throw new WrongUse('Say which directory the tables go to, with --out DIRECTORY')
  const records = await personRecords(session, options)
  const body = await records.export({ format: format === 'csv' ? 'jsonl' : format })
  if (out === undefined) {
    for await (const piece of body) write(session.terminal, piece)
  } else if (format === 'csv') {
    await writeTables(out, await recordsIn(body))
  } else {
    // What is in it is personal: only whoever asked for it may read the file.
    await writeFile(out, body, { mode: 0o600 })
  }
  if (out === undefined) return
  show(session, {
    json: options.json,
    value: { out, format },
    print: () => say(session.terminal, `Everything the site has is in "${out}"`),
  })
}

async function recordsIn(body: ReadableStream<Uint8Array>): Promise<readonly ExportRecord[]> {
  const text = await new Response(body).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ExportRecord)
}

async function writeTables(directory: string, records: readonly ExportRecord[]): Promise<void> {
  makeDirectory(directory)
  for (const part of CSV_PARTS) {
    const ofKind = records.filter(({ kind }) => kind === CSV_KINDS[part])
    const tables = Map.groupBy(ofKind, (one) => (one.kind === 'row' ? `rows-${one.dataSet}` : part))
    for (const [name, own] of tables) {
      await writeFile(join(directory, `${name}.csv`), csvWriter(part)(own), { mode: 0o600 })
    }
  }
}

async function importFrom(
  session: Session,
  { file, options }: { file: string; options: PersonOptions },
): Promise<void> {
  const { as: issuer, person } = options
  if (issuer === undefined || person === undefined)
    throw new WrongUse('Say as which issuer, with --as ISSUER, and whose data it is, with --person KEY')
  const exported: ExportRecord[] = []
  for await (const { line, record } of readRecords(file, await openFile(file))) {
    if (!exportRecordSchema.safeParse(record).success)
      throw new WrongUse(`Cannot import: line ${line} of "${file}" is no record of an export`)
    exported.push(record as ExportRecord)
  }
  const { administration, client } = await connectToSite(session, options)
  const records = openPersonRecords(client, { ref: person })
  const identity = { issuer, key: person }
  const done = await carryPerson(exported, { administration, records, identity, now: session.clock.now() })
  show(session, {
    json: options.json,
    value: done,
    print: ({ rows, grants, history }) =>
      say(
        session.terminal,
        `Brought over ${counted(rows, 'row')}, ${counted(grants, 'grant')} in force and ${counted(history, 'record')} of history`,
      ),
  })
}
