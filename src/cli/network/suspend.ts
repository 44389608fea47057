import type { Command } from 'commander'
import { openOperator } from '../../sdk/operator.ts'
import { operatorClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

/** What is suspended, and resumed. */
type Kind = 'member' | 'site'

/** A verb that says how a member or a site stands from now on, and what that means for it. */
interface StandingVerb {
  readonly name: string
  readonly summary: string
  readonly example: string
  readonly status: 'active' | 'suspended'
  readonly means: string
}

const VERBS: Readonly<Record<Kind, readonly StandingVerb[]>> = {
  member: [
    {
      name: 'suspend <id>',
      summary: 'let a member in nowhere from now on, until it is resumed (operator of the network)',
      example: 'hedgerow member suspend northcare',
      status: 'suspended',
      means:
        ': it is let in nowhere, asks nothing, and what it issues or runs is not asked; what was delivered before is paid',
    },
    {
      name: 'resume <id>',
      summary: 'end the suspension of a member (operator of the network)',
      example: 'hedgerow member resume northcare',
      status: 'active',
      means: '',
    },
  ],
  site: [
    {
      name: 'suspend-site <name>',
      summary: 'ask a site nothing from now on, until it is resumed (operator)',
      example: 'hedgerow network suspend-site galway',
      status: 'suspended',
      means: ': it is asked nothing and hands nothing in; what is held for it is freed as its asks expire',
    },
    {
      name: 'resume-site <name>',
      summary: 'end the suspension of a site (operator)',
      example: 'hedgerow network resume-site galway',
      status: 'active',
      means: '',
    },
  ],
}

/** `hedgerow member suspend` and `resume`, or `hedgerow network suspend-site` and `resume-site`. */
export function addStandingVerbs(parent: Command, session: Session, kind: Kind): void {
  for (const { status, means, ...facts } of VERBS[kind])
    verb(parent, facts)
      .option('--network <url>', 'address of the network')
      .action((id: string, { json, ...options }: NetworkOptions & { json?: boolean }) =>
        perform(session, async () => {
          const operator = openOperator(await operatorClient(session, options))
          const changed = await (kind === 'member'
            ? operator.setMemberStatus(id, status)
            : operator.setSiteStatus(id, status))
          show(session, {
            json,
            value: changed,
            print: () => say(session.terminal, `${changed.id} is ${changed.status}${means}`),
          })
        }),
      )
}
