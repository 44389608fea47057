import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { escapeHtml as text } from '../../kernel/escape-html.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import type { Balance, TrialBalance } from '../../protocol/http/money-api.ts'
import type { Offer } from '../../protocol/offer.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import { REASONS } from '../../protocol/reason.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import type { Settlement } from '../../protocol/money/settlement.ts'
import type { AskStateMessage } from '../authorisation/ask-state.ts'
import { HOME_PAGE_SCRIPT } from './home-page-script.ts'
import { HOME_PAGE_STYLE } from './home-page-style.ts'

/** What goes on at a network, for its operator. */
export interface Activity {
  readonly asks: readonly AskStateMessage[]
  readonly balances: readonly Balance[]
  readonly trial: TrialBalance
  readonly settlements: readonly Settlement[]
  readonly checkpoint: string | undefined
}

/** What the page shows. Without activity it is what everybody may see. */
export interface HomePageFacts {
  readonly name: string
  readonly now: Instant
  readonly offers: readonly Offer[]
  readonly activity: Activity | undefined
}

/** The network's page: one HTML document without anything from elsewhere, which reads the same without its script. */
export function homePage({ name, now, offers, activity }: HomePageFacts): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(name)} · Hedgerow</title><style>${HOME_PAGE_STYLE}</style>
<header><h1>Hedgerow <small>${text(name)}</small></h1><p>Data stays in its perimeter; questions come to it.</p>
<nav><a href="/docs">Interface</a> <a href="/v1/offers">Offers (JSON)</a> <a href="/checkpoint">Checkpoint</a> <a href="/metrics">Metrics</a></nav></header>
<main>${activity ? activityHtml(activity) : ''}${offersHtml(offers)}</main>
<footer><span>As of ${text(formatInstant(now).replace('T', ' ').slice(0, 19))} UTC.</span> <b id="away" class="declined" hidden>The network does not answer now.</b> <a href="/">Look again</a></footer><script>${HOME_PAGE_SCRIPT}</script></html>`
}

function activityHtml({ asks, balances, trial, settlements, checkpoint }: Activity): string {
  return [
    section(
      'Asks',
      'Newest first. The question itself is sealed to the sites: the network cannot read it.',
      asksTable(asks),
    ),
    section('Positions', trialSentence(trial), balancesTable(balances)),
    section(
      'Settlements',
      '',
      settlements.length === 0 ? empty('Nothing was settled yet') : settlements.map(settlementHtml).join(''),
    ),
    section(
      'Log',
      'What the network declines itself stands in a log that only grows.',
      checkpointHtml(checkpoint),
    ),
  ].join('')
}

function asksTable(asks: readonly AskStateMessage[]): string {
  if (asks.length === 0) return empty('Nobody has asked yet')
  const rows = asks.flatMap((ask) => {
    // What was decided comes early: on a telephone the rest has to be scrolled to.
    const common = [time(ask.received), text(ask.acquirer)]
    const wanted = [purposeHtml(ask.purpose), text(ask.mode), text(ask.offer)]
    if (ask.sites.length === 0) return [row([...common, reasonHtml(ask.reason), '–', ...wanted, '', ''])]
    return ask.sites.map((site) =>
      row([
        ...common,
        site.status === 'waiting' ? '<i>waiting</i>' : reasonHtml(site.reason),
        text(site.site),
        ...wanted,
        moneyText(site.captured),
        moneyText(site.priceLimit),
      ]),
    )
  })
  return table(
    'Asks',
    ['Time (UTC)', 'Acquirer', 'Decision', 'Site', 'Purpose', 'Mode', 'Data set', '>Price', '>At most'],
    rows,
  )
}

function balancesTable(balances: readonly Balance[]): string {
  if (balances.length === 0) return empty('No money was booked yet')
  // What was earned is moved by each settlement: an account that is empty says nothing.
  const shown = balances.filter(({ kind, availableMinor }) => kind !== 'earned' || availableMinor !== 0)
  const rows = shown.map(({ owner, kind, currency, availableMinor, heldMinor }) =>
    row([
      text(owner),
      kindText(kind),
      amountText(availableMinor, currency),
      heldMinor === 0 ? '' : amountText(heldMinor, currency),
    ]),
  )
  return table('Positions', ['Account', 'Kind', '>Available', '>Held'], rows)
}

function trialSentence({ isBalanced, items }: TrialBalance): string {
  const sums = items.map(({ currency, debitsMinor }) => amountText(debitsMinor, currency)).join(', ')
  if (items.length === 0) return ''
  return isBalanced
    ? `The trial balance is zero: debits and credits are ${sums} each. Every amount that is held belongs to an open ask or a floor limit.`
    : '<b class="declined">The trial balance is not zero. Stop and look at /v1/balances/trial.</b>'
}

function settlementHtml({ id, until, positions }: Settlement): string {
  const rows = positions.map(({ account, currency, debitsMinor, creditsMinor, netMinor }) =>
    row([
      text(account),
      amountText(debitsMinor, currency),
      amountText(creditsMinor, currency),
      amountText(netMinor, currency),
    ]),
  )
  return `<h3>${text(id)} <small>${time(formatInstant(until))}</small></h3>${table(`Settlement ${id}`, ['Position', '>Debits', '>Credits', '>Net'], rows)}`
}

function checkpointHtml(checkpoint: string | undefined): string {
  return checkpoint === undefined ? empty('The log is empty') : `<pre tabindex="0">${text(checkpoint)}</pre>`
}

function offersHtml(offers: readonly Offer[]): string {
  const rows = offers.map(
    ({ dataSet, title, site, siteCountry, issuer, modes, purposes, minimumGroup, tariff }) =>
      row([
        `<b>${text(dataSet)}</b><br><small>${text(title)}</small>`,
        `${text(site)} <small>${text(siteCountry)}</small>`,
        text(issuer),
        text(modes.join(', ')),
        purposes.map(purposeHtml).join(', '),
        String(minimumGroup),
        `${amountText(tariff.minimumFeeMinor, tariff.currency)} – ${amountText(tariff.capMinor, tariff.currency)}`,
      ]),
  )
  const body =
    rows.length === 0
      ? empty('No site offers anything yet')
      : table(
          'Offers',
          ['Data set', 'Site', 'Issuer', 'Modes', 'Purposes', 'Least group', '>Price of a run'],
          rows,
        )
  return section('Offers', 'Prices are public and the same for everybody.', body)
}

/** In words; the term itself shows when the pointer rests on it. */
function purposeHtml(purpose: string): string {
  return `<span title="${text(purpose)}">${text(purposeLabel(purpose))}</span>`
}

function reasonHtml(reason: ReasonCode | undefined): string {
  if (reason === undefined) return '<i>waiting</i>'
  const kind = reason.split('.', 1)[0] ?? ''
  return `<b class="${text(kind)}" title="${text(REASONS[reason].forAsker)}">${text(reason)}</b>`
}

function section(title: string, note: string, body: string): string {
  return `<section><h2>${text(title)}</h2>${note === '' ? '' : `<p>${note}</p>`}${body}</section>`
}

/** A wide table scrolls by itself, with the arrow keys too. A head that begins with `>` stands over amounts, at the right. */
function table(name: string, heads: readonly string[], rows: readonly string[]): string {
  return `<div class="scroll" role="region" aria-label="${text(name)}" tabindex="0"><table><thead><tr>${heads.map((head) => (head.startsWith('>') ? `<th class="r">${text(head.slice(1))}` : `<th>${text(head)}`)).join('')}</thead><tbody>${rows.join('')}</tbody></table></div>`
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}`).join('')}`
}

function kindText(kind: Balance['kind']): string {
  switch (kind) {
    case 'funds':
      return 'funds'
    case 'earned':
      return 'earned, to be settled'
    case 'bank':
      return 'at the bank'
  }
}

function amountText(amountMinor: number, currency: Currency): string {
  return `<span class="n">${formatMoney(money(BigInt(amountMinor), currency))}</span>`
}

function moneyText(value: { amount: number; currency: Currency } | undefined): string {
  return value === undefined ? '' : amountText(value.amount, value.currency)
}

function time(instantText: string): string {
  return `<time datetime="${text(instantText)}">${text(instantText.replace('T', ' ').slice(0, 19))}</time>`
}

function empty(sentence: string): string {
  return `<p class="empty">${sentence}.</p>`
}
