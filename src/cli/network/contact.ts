import type { Command } from 'commander'
import { shortMomentText } from '../../protocol/words/plain-words.ts'
import { openContacts } from '../../sdk/contacts.ts'
import { openOperator } from '../../sdk/operator.ts'
import { connectToNetwork } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

type ContactOptions = NetworkOptions & { readonly json?: boolean; readonly remove?: boolean }

/** `hedgerow member contact …`: where members are written to. */
export function addContactVerb(member: Command, session: Session): void {
  verb(member, {
    name: 'contact [id] [address]',
    summary:
      'where members are written to, or say it of one: the mailbox of a role, such as privacy@northcare.example; or take it back',
    example:
      'hedgerow member contact\nhedgerow member contact northcare privacy@northcare.example\nhedgerow member contact northcare --remove',
  })
    .option('--as <id>', 'member that asks or says it, or "operator"')
    .option('--network <url>', 'address of the network')
    .option('--remove', 'take back where it is written to')
    .action((id: string | undefined, address: string | undefined, options: ContactOptions) =>
      perform(session, () =>
        options.remove === true
          ? removeContact(session, { member: id, address, options })
          : id !== undefined && address !== undefined
            ? setContact(session, { member: id, address, options })
            : listContacts(session, { id, options }),
      ),
    )
}

async function setContact(
  session: Session,
  { member, address, options }: { member: string; address: string; options: ContactOptions },
): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const contact = await openContacts(client).set({ member, address })
  show(session, {
    json: options.json,
    value: contact,
    print: () => say(session.terminal, `${contact.member} is written to at ${contact.address}`),
  })
}

async function removeContact(
  session: Session,
  {
    member,
    address,
    options,
  }: { member: string | undefined; address: string | undefined; options: ContactOptions },
): Promise<void> {
  if (member === undefined || address !== undefined)
    throw new WrongUse('Say whose contact is taken back, and no address: hedgerow member contact ID --remove')
  const { client } = await connectToNetwork(session, options)
  const isRemoved = await openContacts(client).remove(member)
  show(session, {
    json: options.json,
    value: { member, isRemoved },
    print: () =>
      say(
        session.terminal,
        isRemoved
          ? `Where ${member} is written to is taken back; sites forget it within a minute`
          : `${member} had not said where it is written to`,
      ),
  })
}

/** Who has not said it is listed too, for whoever sees all: nobody can write to them. */
async function listContacts(
  session: Session,
  { id, options }: { id: string | undefined; options: ContactOptions },
): Promise<number> {
  const { client, profile } = await connectToNetwork(session, options)
  const contacts = new Map((await openContacts(client).list()).map((one) => [String(one.member), one]))
  // A regulator is told of all who said it, a member of itself.
  const names = profile
    ? new Set([...(contacts.size > 0 ? [] : [profile.member]), ...contacts.keys()])
    : (await openOperator(client).members()).map((one) => String(one.id))
  const rows = [...names]
    .filter((name) => id === undefined || name === id)
    .map((member) => contacts.get(member) ?? { member, address: undefined, since: undefined })
  show(session, {
    json: options.json,
    value: rows,
    print: () =>
      table(session.terminal, {
        none: `Where ${id === undefined ? 'anybody' : `"${id}"`} is written to is not known here`,
        head: ['member', 'address', 'since'],
        rows: rows.map(({ member, address, since }) => [
          member,
          address ?? 'not said',
          since === undefined ? '' : shortMomentText(since),
        ]),
      }),
  })
  return id === undefined || rows.some(({ address }) => address !== undefined) ? EXIT.done : EXIT.fellShort
}
