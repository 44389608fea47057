import type { Command } from 'commander'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { WrongUse } from '../failures.ts'
import { readMemberProfile } from '../member-profile.ts'
import { connectOfficer } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'
import { readPublicKeys } from '../public-keys.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface NameOptions extends OfficerOptions {
  readonly keys?: string
  readonly remove?: boolean
}

/** `hedgerow officer named`: data-protection officers who read with a key of their own. */
export function addNameVerb(officer: Command, session: Session): void {
  addSiteOptions(
    verb(officer, {
      name: 'named [officer]',
      summary:
        'name a data-protection officer who reads with a key of its own and changes nothing; without a name: list them',
      example:
        'hedgerow officer named orla --keys orla.json --site galway --as world-sport\nhedgerow person uses --site galway --as orla --person 736041664 --reason "complaint of 3 May"',
    }),
  )
    .option('--keys <file>', 'its public keys; absent: those of the member on this machine')
    .option('--remove', 'end its access')
    .action((name: string | undefined, options: NameOptions) =>
      perform(session, () =>
        name === undefined ? list(session, options) : change(session, { name, options }),
      ),
    )
}

async function list(session: Session, options: NameOptions): Promise<void> {
  if (options.keys !== undefined || options.remove === true) throw new WrongUse('Say which officer, by name')
  show(session, {
    json: options.json,
    value: await (await connectOfficer(session, options)).officers(),
    print: (items) =>
      table(session.terminal, {
        none: 'Nobody is named',
        head: ['officer', 'of', 'since'],
        rows: items.map(({ officer, issuer, namedAt }) => [
          officer,
          issuer ?? 'the custodian',
          shortMomentText(namedAt),
        ]),
      }),
  })
}

async function change(
  session: Session,
  { name, options }: { name: string; options: NameOptions },
): Promise<void> {
  const seat = await connectOfficer(session, options)
  if (options.remove === true) {
    await seat.dismissOfficer(name)
    show(session, {
      json: options.json,
      value: { officer: name, isRemoved: true },
      print: () => say(session.terminal, `${name} may read here no longer`),
    })
    return
  }
  const keys = options.keys === undefined ? await ownKeys(session, name) : await readPublicKeys(options.keys)
  show(session, {
    json: options.json,
    value: await seat.nameOfficer(name, keys),
    print: ({ officer, issuer }) =>
      say(session.terminal, `${officer} reads here as the officer of ${issuer ?? 'the custodian'}`),
  })
}

async function ownKeys({ home }: Session, name: string) {
  const { signing, sealing } = await readMemberProfile(home, name)
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
