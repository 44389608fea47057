import { formatDate } from '../../kernel/clock.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Invoice, InvoiceLine } from '../../protocol/money/invoice.ts'
import { openOperator } from '../../sdk/operator.ts'
import { connectToNetwork } from '../connect.ts'
import type { NetworkOptions } from '../connect.ts'
import { FellShort, WrongUse, isNotFound } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { inLine, paint, say, table } from '../terminal.ts'
import type { Terminal } from '../terminal.ts'

export interface InvoiceOptions extends NetworkOptions {
  readonly settlement?: string
  readonly json?: boolean
}

/** `hedgerow ledger invoice`: prints a member's invoice of a settlement. */
export async function printInvoice(
  session: Session,
  { member, options }: { member: string | undefined; options: InvoiceOptions },
): Promise<void> {
  const { client, profile } = await connectToNetwork(session, options)
  if (profile === undefined && member === undefined)
    throw new WrongUse('Say whose invoice, for example: hedgerow ledger invoice northcare')
  const { settlement } = options
  const invoice = await openOperator(client)
    .invoice({
      ...(member === undefined ? {} : { member }),
      ...(settlement === undefined ? {} : { settlement }),
    })
    .catch((thrown: unknown) => {
      if (!isNotFound(thrown)) throw thrown
      const whose = member === undefined ? '' : ` for "${member}"`
      const which = settlement === undefined ? 'the newest settlement' : `the settlement "${settlement}"`
      throw new FellShort(`There is no invoice${whose} of ${which} that you may see; check the names`)
    })
  if (!invoice)
    throw new FellShort('Nothing is settled yet: the operator does so with "hedgerow ledger settle"')
  show(session, { json: options.json, value: invoice, print: () => print(session.terminal, invoice) })
}

function print(
  terminal: Terminal,
  { number, name, country, from, until, charges, credits, totals }: Invoice,
): void {
  const window =
    from === undefined ? `until ${formatDate(until)}` : `${formatDate(from)} to ${formatDate(until)}`
  say(terminal, paint(terminal, 'strong', `Invoice ${number}`))
  say(terminal, `${inLine(name)} (${country}), ${window}`)
  if (charges.length > 0) {
    say(terminal)
    table(terminal, {
      head: ['charged for', 'at', 'runs', 'amount'],
      rows: charges.map((line) => [chargedFor(line), line.site, String(line.runs), amountOf(line)]),
    })
  }
  if (credits.length > 0) {
    say(terminal)
    table(terminal, {
      head: ['earned with', 'at', 'as', 'runs', 'amount'],
      rows: credits.map((line) => [
        line.dataSet,
        line.site,
        line.party ?? '',
        String(line.runs),
        amountOf(line),
      ]),
    })
  }
  say(terminal)
  if (totals.length === 0) say(terminal, 'Nothing was charged and nothing earned')
  for (const total of totals) say(terminal, totalText(total))
}

function totalText({ currency, chargesMinor, creditsMinor, netMinor }: Invoice['totals'][number]): string {
  const net =
    netMinor < 0 ? `${text(-netMinor, currency)} taken from` : `${text(netMinor, currency)} added to`
  return `Charged ${text(chargesMinor, currency)}, earned ${text(creditsMinor, currency)}: ${net} the account, without tax`
}

/** What is given back after a dispute is a charge, too. */
function chargedFor({ dataSet, party }: InvoiceLine): string {
  return party === 'refund' ? `${dataSet}, given back` : dataSet
}

function amountOf({ amountMinor, currency }: InvoiceLine): string {
  return text(amountMinor, currency)
}

function text(minor: number, currency: Currency): string {
  return formatMoney(money(minor, currency))
}
