import type { Command } from 'commander'
import { digestOf } from '../../kernel/digest.ts'
import type { Currency } from '../../kernel/currency.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import { momentText, shortMomentText } from '../../protocol/words/plain-words.ts'
import type { Transfer } from '../../protocol/http/money-api.ts'
import type { NothingToSettle } from '../../protocol/money/settlement.ts'
import { openOperator } from '../../sdk/operator.ts'
import { amountOf } from '../amount.ts'
import { connectToNetwork, operatorClient } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { EXIT } from '../failures.ts'
import { printInvoice } from './print-invoice.ts'
import type { InvoiceOptions } from './print-invoice.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addMemberOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface LedgerOptions extends NetworkOptions {
  readonly json?: boolean
  readonly reference?: string
  readonly limit?: string
}

/** `hedgerow ledger …`: money at the network. */
export function addLedgerVerbs(program: Command, session: Session): void {
  const ledger = program.command('ledger').description('money at the network')
  verb(ledger, {
    name: 'deposit <member> <amount>',
    summary: 'book money that came in at the bank (operator)',
    example: 'hedgerow ledger deposit northcare 500.00EUR --reference "transfer 4711"',
  })
    .option(
      '--reference <text>',
      'the bank’s reference; the same reference, member and amount is booked once',
    )
    .option('--network <url>', 'address of the network')
    .action((member: string, amount: string, options: LedgerOptions) =>
      perform(session, () => deposit(session, { member, amount, options })),
    )
  addMemberOptions(
    verb(ledger, {
      name: 'balance [owner]',
      summary: 'balances, and for the operator the trial balance',
      example: 'hedgerow ledger balance --as northcare',
    }),
  ).action((owner: string | undefined, options: LedgerOptions) =>
    perform(session, () => balance(session, { owner, options })),
  )
  addMemberOptions(
    verb(ledger, {
      name: 'statement [owner]',
      summary: 'transfers, newest first',
      example: 'hedgerow ledger statement --as northcare --limit 20',
    }),
  )
    .option('--limit <number>', 'at most so many', '50')
    .action((owner: string | undefined, options: LedgerOptions) =>
      perform(session, () => statement(session, { owner, options })),
    )
  verb(ledger, {
    name: 'settle',
    summary: 'close the settlement window and print the net positions (operator)',
    example: 'hedgerow ledger settle',
  })
    .option('--network <url>', 'address of the network')
    .action((options: LedgerOptions) => perform(session, () => settle(session, options)))
  addInvoiceVerb(ledger, session)
}

function addInvoiceVerb(ledger: Command, session: Session): void {
  addMemberOptions(
    verb(ledger, {
      name: 'invoice [member]',
      summary: 'what a member was charged and what it earned in a settlement, by data set and site',
      example:
        'hedgerow ledger invoice --as northcare\nhedgerow ledger invoice northcare --settlement stl_01JD…',
    }),
  )
    .option('--settlement <id>', 'which settlement; absent: the newest')
    .action((member: string | undefined, options: InvoiceOptions) =>
      perform(session, () => printInvoice(session, { member, options })),
    )
}

async function deposit(
  session: Session,
  { member, amount, options }: { member: string; amount: string; options: LedgerOptions },
): Promise<void> {
  const sum = amountOf(amount)
  const operator = openOperator(await operatorClient(session, options))
  const { reference } = options
  const idempotencyKey =
    reference === undefined
      ? session.ids.next('key')
      : digestOf(`deposit ${member} ${formatMoney(sum)} ${reference}`)
  const booked = await operator.deposit({
    member,
    amount: sum,
    idempotencyKey,
    ...(reference === undefined ? {} : { reference }),
  })
  show(session, {
    json: options.json,
    value: booked,
    print: () => say(session.terminal, `${formatMoney(booked.amount)} booked for ${member} (${booked.id})`),
  })
}

async function balance(
  session: Session,
  { owner, options }: { owner: string | undefined; options: LedgerOptions },
): Promise<number> {
  const { client, profile } = await connectToNetwork(session, options)
  const operator = openOperator(client)
  const balances = await operator.balances(owner)
  const trial = profile === undefined && owner === undefined ? await operator.trialBalance() : undefined
  show(session, {
    json: options.json,
    value: trial ? { balances, trial } : { balances },
    print: () => {
      if (balances.length === 0) return say(session.terminal, nothingBooked(owner))
      table(session.terminal, {
        head: ['owner', 'account', 'available', 'held'],
        rows: balances.map((one) => [
          one.owner,
          one.kind,
          amountText(one.availableMinor, one.currency),
          one.heldMinor === 0 ? '' : amountText(one.heldMinor, one.currency),
        ]),
      })
      if (trial)
        say(
          session.terminal,
          trial.isBalanced
            ? paint(session.terminal, 'good', 'Debits equal credits')
            : paint(session.terminal, 'bad', 'Debits do not equal credits'),
        )
    },
  })
  return trial?.isBalanced === false ? EXIT.fellShort : EXIT.done
}

function nothingBooked(owner: string | undefined): string {
  return owner === undefined
    ? 'Nothing is booked yet'
    : `Nothing is booked for "${owner}" that you may see; check the name`
}

async function statement(
  session: Session,
  { owner, options }: { owner: string | undefined; options: LedgerOptions },
): Promise<void> {
  const { client } = await connectToNetwork(session, options)
  const transfers = await openOperator(client).statement(owner, wholeNumber(options.limit ?? '50'))
  show(session, {
    json: options.json,
    value: transfers,
    print: () => {
      if (transfers.length === 0) return say(session.terminal, nothingBooked(owner))
      table(session.terminal, {
        head: ['  what', 'from', 'to', 'amount'],
        rows: [...Map.groupBy(transfers, occasionOf)].flatMap(([occasion, booked]) => [
          [paint(session.terminal, 'strong', occasion)],
          ...booked.map((one) => [
            `  ${one.party === undefined ? one.kind : `${one.kind}, ${one.party}`}`,
            `${one.debit.owner} ${one.debit.kind}`,
            `${one.credit.owner} ${one.credit.kind}`,
            formatMoney(one.amount),
          ]),
        ]),
      })
    },
  })
}

/** What was booked together: when, and for which ask. */
function occasionOf({ time, ask }: Transfer): string {
  return ask === undefined ? shortMomentText(time) : `${shortMomentText(time)}, ${ask}`
}

async function settle(session: Session, options: LedgerOptions): Promise<void> {
  const settled = await openOperator(await operatorClient(session, options)).settle(session.ids.next('key'))
  show(session, {
    json: options.json,
    value: settled,
    print: () => {
      if ('nothingToSettle' in settled) return say(session.terminal, nothingToSettleText(settled))
      say(session.terminal, `Settlement ${settled.id}, until ${momentText(settled.until)}`)
      table(session.terminal, {
        head: ['account', 'debits', 'credits', 'net'],
        rows: settled.positions.map((one) => [
          one.account,
          amountText(one.debitsMinor, one.currency),
          amountText(one.creditsMinor, one.currency),
          amountText(one.netMinor, one.currency),
        ]),
      })
    },
  })
}

/** What is said where no settlement was made. */
export function nothingToSettleText({ newest }: NothingToSettle): string {
  return newest === undefined
    ? 'Nothing to settle: nothing was captured yet'
    : `Nothing to settle: nothing was captured since settlement ${newest}`
}

/** Whole minor units as text for people. */
export function amountText(minor: number, currency: Currency): string {
  return formatMoney(money(minor, currency))
}
