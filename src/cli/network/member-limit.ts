import type { Command } from 'commander'
import { formatMoney } from '../../kernel/money.ts'
import { openOperator } from '../../sdk/operator.ts'
import { amountOf } from '../amount.ts'
import { operatorClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface LimitOptions extends NetworkOptions {
  readonly none?: boolean
  readonly json?: boolean
}

/** `hedgerow member limit`: the most that may be held for a member’s asks of one day. */
export function addLimitVerb(member: Command, session: Session): void {
  verb(member, {
    name: 'limit <id> [amount...]',
    summary:
      'set the most that may be held for a member’s asks of one day (UTC), one amount for each currency (operator of the network)',
    example: 'hedgerow member limit northcare 500.00EUR 200.00CHF\nhedgerow member limit northcare --none',
  })
    .option('--none', 'take its limits away')
    .option('--network <url>', 'address of the network')
    .action((id: string, amounts: readonly string[], options: LimitOptions) =>
      perform(session, () => limit(session, { id, amounts, options })),
    )
}

async function limit(
  session: Session,
  { id, amounts, options }: { id: string; amounts: readonly string[]; options: LimitOptions },
): Promise<void> {
  // All limits are set together, so that none left out by mistake may be taken away by it.
  if (amounts.length > 0 === (options.none ?? false))
    throw new WrongUse(`Say the amounts of "${id}", such as 500.00EUR, or --none to take its limits away`)
  const daily = amounts.map(amountOf)
  const set = await openOperator(await operatorClient(session, options)).setDailyLimits(id, daily)
  show(session, {
    json: options.json,
    value: set,
    print: () =>
      say(
        session.terminal,
        set.length === 0
          ? `${id} has no daily limit`
          : `At most ${set.map(formatMoney).join(' and ')} may be held for asks of ${id} of one day (UTC); currencies that are not named have no limit`,
      ),
  })
}
