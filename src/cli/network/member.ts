import { join } from 'node:path'
import type { Command } from 'commander'
import { ACQUIRER_CLASSES, ROLES } from '../../protocol/member.ts'
import type { AcquirerClass, KeySet, Role } from '../../protocol/member.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { openOperator } from '../../sdk/operator.ts'
import { connectToNetwork, memberClient, operatorClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { makeMemberProfile, readMemberProfile, withMemberProfile } from '../member-profile.ts'
import type { MemberProfile } from '../member-profile.ts'
import { readPublicKeys } from '../public-keys.ts'
import { rotateKeyFiles } from '../site/rotate-key-files.ts'
import { addContactVerb } from './contact.ts'
import { addLimitVerb, limitText } from './member-limit.ts'
import { addStandingVerbs } from './suspend.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { transferBasisOf } from '../transfer-basis.ts'
import { perform, verb } from '../verb.ts'

interface KeysOptions {
  readonly country?: string
  readonly network?: string
  readonly json?: boolean
}

interface AddOptions extends NetworkOptions {
  readonly name?: string
  readonly country: string
  readonly role: readonly Role[]
  readonly class?: AcquirerClass
  readonly keys?: string
  readonly transferBasis?: readonly string[]
  readonly json?: boolean
}

/** `hedgerow member …`: keys of a member, and membership at a network. */
export function addMemberVerbs(program: Command, session: Session): void {
  const member = program.command('member').description('membership at a network')
  verb(member, {
    name: 'keys <id>',
    summary: 'make the keys of a member on this machine, and print the public ones',
    example: 'hedgerow member keys northcare --country IE > northcare.json',
  })
    .option('--country <code>', 'where the member is established (ISO 3166-1 alpha-2)')
    .option('--network <url>', 'address of its network')
    .action((id: string, options: KeysOptions) => perform(session, () => printKeys(session, { id, options })))
  verb(member, {
    name: 'add <id>',
    summary: 'register a member (operator of the network)',
    example:
      'hedgerow member add northcare --country IE --role acquirer --class insurer --keys northcare.json',
  })
    .requiredOption('--country <code>', 'where the member is established (ISO 3166-1 alpha-2)')
    .requiredOption('--role <role...>', `what it does: ${ROLES.join(', ')}`)
    .option('--class <class>', `kind of acquirer, which grants can name: ${ACQUIRER_CLASSES.join(', ')}`)
    .option('--name <text>', 'its name in full')
    .option('--keys <file>', 'its public keys; absent: its keys are made on this machine')
    .option('--transfer-basis <basis...>', 'bases for transfers that the operator has checked, such as scc')
    .option('--network <url>', 'address of the network')
    .action((id: string, options: AddOptions) => perform(session, () => addMember(session, { id, options })))
  verb(member, { name: 'list', summary: 'members of the network', example: 'hedgerow member list --json' })
    .option('--as <id>', 'member that asks, or "operator"')
    .option('--network <url>', 'address of the network')
    .action((options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => listMembers(session, options)),
    )
  addContactVerb(member, session)
  addStandingVerbs(member, session, 'member')
  addLimitVerb(member, session)
  verb(member, {
    name: 'collude <id> <with...>',
    summary: 'declare that acquirers put their answers together (operator of the network)',
    example: 'hedgerow member collude northcare atlas-insurance',
  })
    .option('--network <url>', 'address of the network')
    .action((id: string, others: readonly string[], options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => declareCollusion(session, { id, others, options })),
    )
  verb(member, {
    name: 'rotate-key [id]',
    summary: 'replace the keys of a member by new ones, signed with the old',
    example: 'hedgerow member rotate-key northcare',
  })
    .option('--network <url>', 'address of the network')
    .action((id: string | undefined, options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => rotateKey(session, { id, options })),
    )
}

async function printKeys(
  session: Session,
  { id, options }: { id: string; options: KeysOptions },
): Promise<void> {
  const profile = await makeMemberProfile(session.home, {
    member: id,
    country: options.country,
    networkUrl: options.network,
  })
  // Always JSON: it is what "member add --keys" reads.
  say(session.terminal, JSON.stringify(publicKeys(profile), null, 2))
}

async function addMember(
  session: Session,
  { id, options }: { id: string; options: AddOptions },
): Promise<void> {
  const transferBases = (options.transferBasis ?? []).map(transferBasisOf)
  const client = await operatorClient(session, options)
  const add = (keys: KeySet) =>
    openOperator(client).addMember({
      id,
      name: options.name ?? id,
      country: options.country,
      roles: [...options.role],
      ...(options.class === undefined ? {} : { acquirerClass: options.class }),
      transferBases,
      keys,
    })
  const facts = { member: id, country: options.country, networkUrl: options.network }
  const added =
    options.keys === undefined
      ? await withMemberProfile(session.home, facts, (profile) => add(publicKeys(profile)))
      : await add(await readPublicKeys(options.keys))
  show(session, {
    json: options.json,
    value: added,
    print: () =>
      say(session.terminal, `${added.id} is a member (${added.roles.join(', ')}, ${added.country})`),
  })
}

async function listMembers(session: Session, options: NetworkOptions & { json?: boolean }): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const operator = openOperator(client)
  const [members, limits] = await Promise.all([operator.members(), operator.dailyLimits()])
  show(session, {
    json: options.json,
    // Only where the caller may see them: the operator those of everybody, a member its own.
    value: members.map((one) => {
      const dailyLimits = limits.get(one.id)
      return dailyLimits === undefined ? one : { ...one, dailyLimits }
    }),
    print: () =>
      table(session.terminal, {
        head: [
          'member',
          'name',
          'country',
          'roles',
          'class',
          'colludes with',
          ...(limits.size > 0 ? ['at most a day'] : []),
          'status',
        ],
        rows: members.map((one) => [
          one.id,
          one.name,
          one.country,
          one.roles.join(', '),
          one.acquirerClass ?? '',
          one.colludesWith.join(', '),
          ...(limits.size > 0 ? [limitText(limits.get(one.id) ?? [])] : []),
          one.status,
        ]),
      }),
  })
}

async function declareCollusion(
  session: Session,
  {
    id,
    others,
    options,
  }: { id: string; others: readonly string[]; options: NetworkOptions & { json?: boolean } },
): Promise<void> {
  if (others.includes(id)) throw new WrongUse(`Name others than "${id}" itself`)
  const client = await operatorClient(session, options)
  const declared = await openOperator(client).declareCollusion(id, others)
  show(session, {
    json: options.json,
    value: declared,
    print: () =>
      say(
        session.terminal,
        `${declared.id} puts its answers together with ${declared.colludesWith.join(', ')}: sites guard them as one`,
      ),
  })
}

async function rotateKey(
  session: Session,
  { id, options }: { id: string | undefined; options: NetworkOptions & { json?: boolean } },
): Promise<void> {
  const profile = await readMemberProfile(session.home, id, 'by its ID')
  const keys = join(profile.directory, 'keys')
  await rotateKeyFiles({
    directory: keys,
    name: profile.member,
    now: session.clock.now(),
    submit: async (rotation, signing) => {
      const client = await memberClient(session, {
        profile: { ...profile, signing },
        network: options.network,
      })
      const params = { id: profile.member }
      await client.call(NETWORK_API.rotateMemberKeys, { params, body: { rotation } })
    },
  })
  const { signing, sealing } = await readMemberProfile(session.home, profile.member)
  const retired = join(keys, 'retired')
  show(session, {
    json: options.json,
    value: { member: profile.member, keys: { signing: signing.publicJwk, sealing: sealing.publicJwk } },
    print: () =>
      say(
        session.terminal,
        `${profile.member} signs and opens with new keys; the old ones are in "${retired}" for releases sealed to them`,
      ),
  })
}

function publicKeys({ signing, sealing }: MemberProfile) {
  return { signing: signing.publicJwk, sealing: sealing.publicJwk }
}
