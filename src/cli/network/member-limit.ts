import type { Command } from 'commander'
import { formatMoney } from '../../kernel/money.ts'
import type { Money } from '../../kernel/money.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { openOperator } from '../../sdk/operator.ts'
import { amountOf } from '../amount.ts'
import { connectToNetwork, operatorClient } from '../connect.ts'
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

/** `hedgerow member limit`: the most that may be held for a member’s asks of one day, said by the operator and read by it and the member. */
export function addLimitVerb(member: Command, session: Session): void {
  verb(member, {
    name: 'limit <id> [amount...]',
    summary:
      'the most that may be held for a member’s asks of one day (UTC); with amounts, one for each currency, set it (operator of the network)',
    example:
      'hedgerow member limit northcare\nhedgerow member limit northcare 500.00EUR 200.00CHF\nhedgerow member limit northcare --none',
  })
    .option('--none', 'take its limits away')
    .option('--as <id>', 'member that asks for its own, or "operator"')
    .option('--network <url>', 'address of the network')
    .action((id: string, amounts: readonly string[], options: LimitOptions) =>
      perform(session, () =>
        amounts.length === 0 && options.none !== true
          ? showLimits(session, { id, options })
          : setLimits(session, { id, amounts, options }),
      ),
    )
}

async function setLimits(
  session: Session,
  { id, amounts, options }: { id: string; amounts: readonly string[]; options: LimitOptions },
): Promise<void> {
  // All limits are set together, so that none left out by mistake may be taken away by it.
  if (amounts.length > 0 && options.none === true)
    throw new WrongUse(`Say the amounts of "${id}", such as 500.00EUR, or --none to take its limits away`)
  if (options.as !== undefined && options.as !== 'operator')
    throw new WrongUse('Only the operator of the network sets limits: leave --as away')
  const daily = amounts.map(amountOf)
  const set = await openOperator(await operatorClient(session, options)).setDailyLimits(id, daily)
  tell(session, { id, daily: set, options })
}

async function showLimits(
  session: Session,
  { id, options }: { id: string; options: LimitOptions },
): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const daily = (await openOperator(client).dailyLimits(id)).get(id) ?? []
  // Who has no limit and who is no member are not told apart by the limits.
  if (daily.length === 0) await client.call(NETWORK_API.member, { params: { id } })
  tell(session, { id, daily, options })
}

function tell(
  session: Session,
  { id, daily, options }: { id: string; daily: readonly Money[]; options: LimitOptions },
): void {
  show(session, {
    json: options.json,
    value: daily,
    print: () =>
      say(
        session.terminal,
        daily.length === 0
          ? `${id} has no daily limit`
          : `At most ${limitText(daily)} may be held for asks of ${id} of one day (UTC); currencies that are not named have no limit`,
      ),
  })
}

/** Limits in a line. */
export function limitText(daily: readonly Money[]): string {
  return daily.map(formatMoney).join(' and ')
}
