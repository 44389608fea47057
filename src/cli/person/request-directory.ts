import type { Command } from 'commander'
import { openRequestDesk } from '../../sdk/requests.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

/** `hedgerow request directory`: who may make requests for people by the Data Rights Protocol, and of whom. */
export function addDirectoryVerb(request: Command, session: Session): void {
  addSiteOptions(
    verb(request, {
      name: 'directory',
      summary:
        'agents that may make requests by the Data Rights Protocol, and the businesses they reach here',
      example: 'hedgerow request directory --site galway',
    }),
  ).action((options: SiteOptions & { json?: boolean }) =>
    perform(session, async () => {
      const { client } = await connectToSite(session, options)
      show(session, {
        json: options.json,
        value: await openRequestDesk(client).directory(),
        print: ({ agents, businesses }) => {
          if (businesses.length === 0)
            return say(session.terminal, 'No business is in the settings (dataRights): no agent may ask here')
          table(session.terminal, {
            head: ['business', 'name', 'verified by', 'address'],
            rows: businesses.map((business) => [
              business.id,
              business.name,
              business.supported_verifications.join(', '),
              business.api_base,
            ]),
          })
          table(session.terminal, {
            head: ['agent', 'name'],
            rows: agents.map(({ id, name }) => [id, name]),
          })
        },
      })
    }),
  )
}
