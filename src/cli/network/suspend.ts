import type { Command } from 'commander'
import { openOperator } from '../../sdk/operator.ts'
import { operatorClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

/** Who is suspended, or not any longer. */
interface Standing {
  readonly of: 'member' | 'site'
  readonly status: 'active' | 'suspended'
}

/** `hedgerow member suspend` and `resume`. */
export function addMemberStandingVerbs(member: Command, session: Session): void {
  addStandingVerb(member, session, {
    name: 'suspend <id>',
    summary: 'let a member in nowhere from now on, until it is resumed (operator of the network)',
    example: 'hedgerow member suspend northcare',
    standing: { of: 'member', status: 'suspended' },
  })
  addStandingVerb(member, session, {
    name: 'resume <id>',
    summary: 'end the suspension of a member (operator of the network)',
    example: 'hedgerow member resume northcare',
    standing: { of: 'member', status: 'active' },
  })
}

/** `hedgerow network suspend-site` and `resume-site`. */
export function addSiteStandingVerbs(network: Command, session: Session): void {
  addStandingVerb(network, session, {
    name: 'suspend-site <name>',
    summary: 'ask a site nothing from now on, until it is resumed (operator)',
    example: 'hedgerow network suspend-site galway',
    standing: { of: 'site', status: 'suspended' },
  })
  addStandingVerb(network, session, {
    name: 'resume-site <name>',
    summary: 'end the suspension of a site (operator)',
    example: 'hedgerow network resume-site galway',
    standing: { of: 'site', status: 'active' },
  })
}

function addStandingVerb(
  parent: Command,
  session: Session,
  { standing, ...facts }: { name: string; summary: string; example: string; standing: Standing },
): void {
  verb(parent, facts)
    .option('--network <url>', 'address of the network')
    .action((id: string, options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => setStanding(session, { id, standing, options })),
    )
}

async function setStanding(
  session: Session,
  {
    id,
    standing: { of, status },
    options,
  }: { id: string; standing: Standing; options: NetworkOptions & { json?: boolean } },
): Promise<void> {
  const operator = openOperator(await operatorClient(session, options))
  const changed = await (of === 'member'
    ? operator.setMemberStatus(id, status)
    : operator.setSiteStatus(id, status))
  show(session, {
    json: options.json,
    value: changed,
    print: () => say(session.terminal, `${changed.id} is ${changed.status}${MEANS[of][status]}`),
  })
}

const MEANS = {
  member: {
    suspended:
      ': it is let in nowhere, asks nothing, and what it issues or runs is not asked; what was delivered before is paid',
    active: '',
  },
  site: {
    suspended: ': it is asked nothing and hands nothing in; what is held for it is freed as its asks expire',
    active: '',
  },
} as const
