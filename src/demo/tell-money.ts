import { amountText, nothingToSettleText } from '../cli/network/ledger.ts'
import type { Session } from '../cli/session.ts'
import { say, table } from '../cli/terminal.ts'
import type { Terminal } from '../cli/terminal.ts'
import { formatMoney } from '../kernel/money.ts'
import { momentText } from '../protocol/words/plain-words.ts'
import type { Settlement } from '../protocol/money/settlement.ts'
import type { Operator } from '../sdk/operator.ts'
import { heading, step } from './report.ts'
import type { ScenarioOutcome } from './run-scenario.ts'

/** Checks what was captured against what was asked, settles, and prints positions and the trial balance. Gives what is wrong. */
export async function tellMoney(
  session: Session,
  { operator, outcomes }: { operator: Operator; outcomes: readonly ScenarioOutcome[] },
): Promise<readonly string[]> {
  const { terminal } = session
  heading(terminal, 'Money')
  const problems = [...(await capturedOnce(operator, outcomes))]
  const settlement = await operator.settle(session.ids.next('key'))
  if ('nothingToSettle' in settlement) step(terminal, nothingToSettleText(settlement))
  else problems.push(...tellSettlement(terminal, settlement))
  const trial = await operator.trialBalance()
  if (!trial.isBalanced || trial.items.some(({ differenceMinor }) => differenceMinor !== 0))
    problems.push('debits do not equal credits')
  for (const { currency, debitsMinor, creditsMinor, openHoldsMinor, heldMinor } of trial.items) {
    step(
      terminal,
      `Trial balance in ${currency}: debits ${amountText(debitsMinor, currency)}, credits ${amountText(creditsMinor, currency)}, difference ${amountText(debitsMinor - creditsMinor, currency)}`,
    )
    if (openHoldsMinor !== 0 || heldMinor !== 0)
      problems.push(`${amountText(heldMinor, currency)} are still held after every ask was answered`)
  }
  return problems
}

/** Prints the positions of a settlement. Gives what is wrong with them. */
function tellSettlement(terminal: Terminal, settlement: Settlement): readonly string[] {
  table(terminal, {
    indent: '  ',
    head: ['settled', 'debits', 'credits', 'net position'],
    rows: settlement.positions.map((one) => [
      one.account,
      amountText(one.debitsMinor, one.currency),
      amountText(one.creditsMinor, one.currency),
      amountText(one.netMinor, one.currency),
    ]),
  })
  const sum = settlement.positions.reduce((total, { netMinor }) => total + netMinor, 0)
  say(terminal)
  step(
    terminal,
    `Settlement ${settlement.id} until ${momentText(settlement.until)}: positions add up to zero`,
  )
  return sum === 0 ? [] : [`the positions of the settlement add up to ${sum}, not to zero`]
}

/** Each approved ask was captured exactly once, for the price the site named. */
async function capturedOnce(
  operator: Operator,
  outcomes: readonly ScenarioOutcome[],
): Promise<readonly string[]> {
  const problems: string[] = []
  const transfers = await operator.statement(undefined, 1_000)
  for (const { scenario, result } of outcomes) {
    for (const { site, decision, captured } of result.sites) {
      const booked = transfers.filter(
        (one) => one.kind === 'capture' && one.ask === result.id && one.site === site,
      )
      const sumMinor = booked.reduce((sum, { amount }) => sum + amount.amountMinor, 0n)
      const parties = new Set(booked.map(({ party }) => party))
      const priceMinor = decision?.price?.amountMinor ?? 0n
      if (sumMinor !== priceMinor || parties.size !== booked.length) {
        problems.push(
          `${scenario.name}, ${site}: ${booked.length} entries of ${sumMinor} were booked for a price of ${decision?.price ? formatMoney(decision.price) : 'nothing'}`,
        )
      }
      if ((captured?.amountMinor ?? 0n) !== priceMinor)
        problems.push(`${scenario.name}, ${site}: the capture is not the price`)
    }
  }
  return problems
}

/** What a server says it is, for the last lines: its memory where the system tells. */
export async function memoryLine(
  servers: readonly { readonly name: string; memoryMb(): Promise<number | undefined> }[],
): Promise<string> {
  const parts: string[] = []
  for (const server of servers) {
    const memory = await server.memoryMb()
    if (memory !== undefined) parts.push(`${server.name} ${memory} MB`)
  }
  return parts.join(', ')
}
