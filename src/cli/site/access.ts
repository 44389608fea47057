import type { Command } from 'commander'
import { openDecisionPoint } from '../../sdk/enforcement-point.ts'
import type { DecisionPoint } from '../../sdk/enforcement-point.ts'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { readMemberProfile } from '../member-profile.ts'
import { readPublicKeys } from '../public-keys.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface AccessOptions extends SiteOptions {
  readonly json?: boolean
}

interface CheckOptions extends AccessOptions {
  readonly acquirer?: string
  readonly custodian?: string
  readonly action: string
  readonly dataSet: string
  readonly person?: string
  readonly purpose?: string
  readonly legalBasis?: string
  readonly mode: string
  readonly columns?: string
  readonly releaseTo?: string
}

interface PointsOptions extends AccessOptions {
  readonly keys?: string
  readonly remove?: boolean
}

/** `hedgerow access`: decisions for applications that enforce them (AuthZEN 1.0), and which applications may ask. */
export function addAccessVerbs(program: Command, session: Session): void {
  const access = program
    .command('access')
    .description('whether a use is allowed now, and the applications that may ask so')
  addSiteOptions(
    verb(access, {
      name: 'check',
      summary:
        'whether a use of a data set, or of one person’s data in it, is allowed now by grants, legal bases and place; nothing is run',
      example:
        'hedgerow access check --site galway --as gate --acquirer northcare --data-set athletes --purpose dpv:AcademicResearch\nhedgerow access check --site galway --as gate --acquirer northcare --data-set athletes --purpose dpv:AcademicResearch --person p-17 --action release --release-to IE',
    }),
  )
    .option('--acquirer <member>', 'who would use it')
    .option(
      '--custodian <member>',
      'the custodian itself, which keeps data (--action store) and does nothing else',
    )
    .option('--action <action>', 'process, release or store', 'process')
    .requiredOption('--data-set <name>', 'which data set')
    .option('--person <key>', 'one person, by the key that the issuer knows; the person sees that you looked')
    .option('--purpose <purpose>', 'a purpose of the DPV')
    .option('--legal-basis <basis>', 'absent: the one on which the data set is offered')
    .option('--mode <mode>', 'aggregate, private or rows', 'aggregate')
    .option('--columns <names>', 'with commas between; absent: every column that a question could use')
    .option('--release-to <country>', 'where the result would be used')
    .action((options: CheckOptions) => perform(session, () => check(session, options)))
  addSiteOptions(
    verb(access, {
      name: 'points [name]',
      summary:
        'name an application that may ask for decisions with a key of its own and do nothing else; without a name: list them',
      example: 'hedgerow access points gate --keys gate.json --site galway --as world-sport',
    }),
  )
    .option('--keys <file>', 'its public keys; absent: those of the member on this machine')
    .option('--remove', 'end its access')
    .action((name: string | undefined, options: PointsOptions) =>
      perform(session, () =>
        name === undefined ? list(session, options) : change(session, { name, options }),
      ),
    )
}

async function check(session: Session, options: CheckOptions): Promise<number> {
  const { acquirer, custodian, action, dataSet, person, columns, mode, releaseTo, purpose, legalBasis } =
    options
  if ((acquirer === undefined) === (custodian === undefined))
    throw new WrongUse('Say who would use it: --acquirer or --custodian')
  const point = await connect(session, options)
  const properties = {
    ...(columns === undefined ? {} : { columns: columns.split(',').map((name) => name.trim()) }),
    ...(person === undefined ? {} : { dataSet }),
  }
  const answer = await point.evaluate({
    subject: { type: acquirer === undefined ? 'custodian' : 'acquirer', id: acquirer ?? custodian ?? '' },
    action: { name: action, properties: { mode } },
    resource: { type: person === undefined ? 'data_set' : 'person', id: person ?? dataSet, properties },
    context: {
      ...(purpose === undefined ? {} : { purpose }),
      ...(legalBasis === undefined ? {} : { legalBasis }),
      ...(releaseTo === undefined ? {} : { releaseTo: { jurisdiction: releaseTo } }),
    },
  })
  show(session, {
    json: options.json,
    value: answer,
    print: ({ decision, context = {} }) => {
      const { reason, detail } = context
      say(session.terminal, decision ? 'Allowed' : `Not allowed: ${String(detail)} (${String(reason)})`)
    },
  })
  return answer.decision ? EXIT.done : EXIT.fellShort
}

async function list(session: Session, options: PointsOptions): Promise<void> {
  if (options.keys !== undefined || options.remove === true)
    throw new WrongUse('Say which application, by name')
  show(session, {
    json: options.json,
    value: await (await connect(session, options)).points(),
    print: (items) =>
      table(session.terminal, {
        none: 'No application is named',
        head: ['application', 'of', 'since'],
        rows: items.map(({ point, issuer, namedAt }) => [
          point,
          issuer ?? 'the custodian',
          shortMomentText(namedAt),
        ]),
      }),
  })
}

async function change(
  session: Session,
  { name, options }: { name: string; options: PointsOptions },
): Promise<void> {
  const point = await connect(session, options)
  if (options.remove === true) {
    await point.dismissPoint(name)
    say(session.terminal, `${name} may ask here no longer`)
    return
  }
  const keys = options.keys === undefined ? await ownKeys(session, name) : await readPublicKeys(options.keys)
  show(session, {
    json: options.json,
    value: await point.namePoint(name, keys),
    print: ({ point: named, issuer }) =>
      say(session.terminal, `${named} asks here for ${issuer ?? 'the custodian, about data sets'}`),
  })
}

async function connect(session: Session, options: AccessOptions): Promise<DecisionPoint> {
  return openDecisionPoint((await connectToSite(session, options)).client)
}

async function ownKeys({ home }: Session, name: string) {
  const { signing, sealing } = await readMemberProfile(home, name)
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
