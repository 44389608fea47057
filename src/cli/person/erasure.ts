import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { actorWords, momentText, shortMomentText } from '../../protocol/words/plain-words.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { ERASURE_REASONS } from '../../protocol/rights/erasure.ts'
import type { ErasureReason } from '../../protocol/rights/erasure.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import { openRightsDesk } from '../../sdk/rights.ts'
import type { Erasure, PersonReference, RightsDesk } from '../../sdk/rights.ts'
import { certificatePage } from './certificate-page.ts'
import { WrongUse } from '../failures.ts'
import { addSignInOptions, connectForPerson, tokenOf } from './person.ts'
import type { SignInOptions } from './person.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

export interface PersonOptions extends SignInOptions {
  readonly person?: readonly string[]
  readonly issuer?: string
  readonly reason?: string
  readonly now?: boolean
  readonly erasure?: string
  readonly out?: string
  readonly json?: boolean
}

/** `hedgerow person erase/erasures/certificate`: what the law lets people have done with what is kept of them. */
export function addErasureVerbs(program: Command, session: Session): void {
  const person =
    program.commands.find((command) => command.name() === 'person') ??
    program.command('person').description('what a site has about one person, and their rights')
  addPersonOptions(
    verb(person, {
      name: 'erase',
      summary:
        'erase a person: unreadable and deleted when the verb ends, in no file within the stated window',
      example:
        'hedgerow person erase --site galway --token-file my.token --issuer world-sport\nhedgerow person erase --site galway --as world-sport --person 736041664\nhedgerow person erase --site galway --issuer world-sport --person 736041664 --reason consent_withdrawn --now',
    }),
  )
    .option('--reason <ground>', `why: ${ERASURE_REASONS.join(', ')}`, 'request')
    .option('--now', 'wait until nothing is in any file of the site, instead of within the window')
    .action((options: PersonOptions) => perform(session, () => erase(session, options)))
  addSiteOptions(
    verb(person, {
      name: 'erasures',
      summary: 'erasures at a site, with the grade that each has reached',
      example: 'hedgerow person erasures --site galway',
    }),
  )
    .option('--now', 'first remove what was deleted from every file of the site (the operator)')
    .action((options: PersonOptions) => perform(session, () => erasures(session, options)))
  addSignInOptions(
    verb(person, {
      name: 'certificate',
      summary: 'the certificate of an erasure: the grade of each store; as a page to print with --out',
      example:
        'hedgerow person certificate --site galway --erasure erasure_01KB0000000000000000000000 --out certificate.html\nhedgerow person certificate --site galway --token-file my.token --erasure erasure_01KB0000000000000000000000',
    }),
  )
    .option('--erasure <id>', 'the id that "person erase" printed')
    .option('--out <file>', 'write a page to print (HTML)')
    .action((options: PersonOptions) => perform(session, () => certificate(session, options)))
}

/** The options by which a verb names people; `--person` may come several times, as `ISSUER:KEY` for several issuers. */
export function addPersonOptions(command: Command): Command {
  return addSignInOptions(command)
    .option(
      '--person <key...>',
      'key by which the issuer knows the person, or a child for whom you speak; several for several issuers; absent with a token: yourself',
    )
    .option('--issuer <member>', 'issuer that knows the person by it; absent: the one that acts')
}

/** The people that a verb is told: `KEY`, or `ISSUER:KEY` for somebody whom several issuers know. */
export async function referencesOf(
  session: Session,
  options: PersonOptions,
): Promise<readonly PersonReference[]> {
  const { person, issuer, as } = options
  const isSignedIn = (await tokenOf(session, options)) !== undefined
  if (isSignedIn) return (person ?? ['me']).map((text) => ({ person: text, issuer }))
  if (person === undefined) throw new WrongUse('Say whom, with --person KEY')
  return person.map((text) => {
    const [, named, key] = /^([a-z][a-z0-9-]{0,61}[a-z0-9]):(.+)$/s.exec(text) ?? []
    if (issuer === undefined && as === undefined && named !== undefined && key !== undefined)
      return { person: key, issuer: named }
    if (issuer === undefined && as === undefined)
      throw new WrongUse(
        'Say which issuer knows the person by this key, with --issuer MEMBER or --person ISSUER:KEY',
      )
    return { person: text, issuer }
  })
}

async function erase(session: Session, options: PersonOptions): Promise<void> {
  const references = await referencesOf(session, options)
  const reason = reasonOf(options.reason)
  const desk = await openDesk(session, options)
  const done: Erasure[] = []
  const failures: Failure[] = []
  for (const [index, reference] of references.entries()) {
    try {
      // Each by itself: the last may be one that is not known.
      done.push(await desk.erase(reference, { reason, isAtOnce: options.now === true }))
    } catch (thrown) {
      failures.push({ place: index + 1, thrown })
    }
  }
  if (failures.length > 0 && done.length === 0) throw gravest(failures)
  const current: Erasure[] = []
  // What was answered is what stands, where it is not seen again: without its id nobody finds it.
  for (const one of done) current.push(await desk.erasure(one.erasure).catch(() => one))
  show(session, {
    json: options.json,
    value: references.length === 1 ? current[0] : current,
    print: () => {
      for (const one of current) printErasure(session, one)
    },
  })
  if (failures.length === 0) return
  // An erasure is not taken back: what was done is shown, and by place, not by key, what was not.
  const refused = failures.filter(isRefused)
  const lost = failures.filter((one) => !refused.includes(one))
  for (const [what, some] of [
    ['Not erased', refused],
    ['Not known whether erased', lost],
  ] as const) {
    const places = some.map(({ place }) => place).join(', ')
    if (some.length > 0) session.terminal.error.write(`${what}: number ${places} of those that were named\n`)
  }
  throw gravest(failures)
}

interface Failure {
  readonly place: number
  readonly thrown: unknown
}

/** Whether the site says that it has not done it. One that fails may have. */
function isRefused({ thrown }: Failure): boolean {
  return thrown instanceof PeerRefusal && thrown.status < 500
}

/** What the verb ends with: an answer that was lost before a refusal, which says that nothing was done. */
function gravest(failures: readonly Failure[]): unknown {
  const lost = failures.find((one) => !isRefused(one))
  return (lost ?? failures[0])?.thrown
}

async function erasures(session: Session, options: PersonOptions): Promise<void> {
  const desk = await openDesk(session, options)
  if (options.now === true) await desk.completeErasures()
  const all = await desk.erasures()
  show(session, {
    json: options.json,
    value: all,
    print: () =>
      table(session.terminal, {
        none: 'No erasures here',
        head: ['erasure', 'issuer', 'reason', 'by', 'requested', 'grade', 'in no file by'],
        rows: all.map((one) => [
          one.erasure,
          one.issuer,
          one.reason,
          actorWords(one.requestedBy),
          shortMomentText(one.requestedAt),
          one.grade,
          shortMomentText(one.permanentAt ?? one.permanentBy),
        ]),
      }),
  })
}

async function certificate(session: Session, options: PersonOptions): Promise<void> {
  if (options.erasure === undefined) throw new WrongUse('Say which erasure, with --erasure ID')
  const desk = await openDesk(session, options)
  const found = await desk.erasure(options.erasure)
  if (options.out !== undefined) await writeFile(options.out, certificatePage(found), { mode: 0o600 })
  show(session, {
    json: options.json,
    value: found,
    print: () => {
      printErasure(session, found)
      if (options.out !== undefined) say(session.terminal, `Written to "${options.out}"`)
    },
  })
}

function printErasure(session: Session, one: Erasure): void {
  const until =
    one.permanentAt === undefined
      ? `in no file of the site by ${momentText(one.permanentBy)}`
      : `in no file of the site since ${momentText(one.permanentAt)}`
  say(session.terminal, `${one.erasure}: ${one.grade}; ${until}; receipts ${one.receipts.join(', ')}`)
  table(session.terminal, {
    head: ['store', 'grade', 'how'],
    rows: one.stores.map(({ store, grade, note }) => [store, grade, note]),
  })
  if (one.recipients.length === 0) return
  table(session.terminal, {
    head: ['told to', 'for what', 'data set', 'state', 'what was done'],
    rows: one.recipients.map(({ acquirer, purpose, dataSet, state, outcome, ground }) => [
      acquirer,
      purposeLabel(purpose),
      dataSet,
      state,
      [outcome, ground].filter((text) => text !== undefined).join(': '),
    ]),
  })
}

function reasonOf(text: string | undefined): ErasureReason {
  const reason = ERASURE_REASONS.find((known) => known === text)
  if (reason !== undefined) return reason
  throw new WrongUse(`Cannot use the reason "${text ?? ''}": expected one of ${ERASURE_REASONS.join(', ')}`)
}

export async function openDesk(session: Session, options: SignInOptions): Promise<RightsDesk> {
  return openRightsDesk((await connectForPerson(session, options)).client)
}
