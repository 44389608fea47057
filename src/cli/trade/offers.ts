import type { Command } from 'commander'
import { formatMoney, money } from '../../kernel/money.ts'
import { MODES } from '../../protocol/mode.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import type { Offer } from '../../protocol/offer.ts'
import { categoryName, purposeName } from '../../protocol/words/plain-words.ts'
import { purposeTerm } from '../../protocol/law/purpose.ts'
import type { Tariff } from '../../protocol/money/tariff.ts'
import { collectPages } from '../../sdk/collect-pages.ts'
import { publicClient } from '../connect.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

interface OffersOptions {
  readonly dataset?: string
  readonly site?: string
  readonly within?: string
  readonly mode?: Offer['modes'][number]
  readonly purpose?: string
  readonly columns?: boolean
  readonly network?: string
  readonly json?: boolean
}

/** `hedgerow offers`: what an acquirer can ask for, with terms and price. */
export function addOffersVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'offers',
    summary: 'what can be asked for, with terms and price',
    example: 'hedgerow offers --within EEA --mode aggregate --columns',
  })
    .option('--dataset <name>', 'only this data set')
    .option('--site <name>', 'only at this site')
    .option('--within <area>', 'only at sites in this country, or in EEA, EU or adequate')
    .option('--mode <mode>', `only in this release mode: ${MODES.join(', ')}`)
    .option('--purpose <term>', 'only for this DPV purpose: dpv:AcademicResearch or Academic Research')
    .option('--columns', 'with the columns of each data set')
    .option('--network <url>', 'address of the network')
    .action((options: OffersOptions) => perform(session, () => listOffers(session, options)))
}

async function listOffers(session: Session, options: OffersOptions): Promise<void> {
  const client = await publicClient(session, options)
  const { dataset: dataSet, site, within, mode } = options
  const purpose = options.purpose === undefined ? undefined : purposeTerm(options.purpose)
  const offers = await collectPages((cursor) =>
    client.call(NETWORK_API.listOffers, {
      query: { dataSet, site, within, mode, purpose, cursor, limit: 200 },
    }),
  )
  show(session, {
    json: options.json,
    value: offers,
    print: () => printOffers(session, { offers, withColumns: options.columns === true }),
  })
}

function printOffers(
  session: Session,
  { offers, withColumns }: { offers: readonly Offer[]; withColumns: boolean },
): void {
  const { terminal } = session
  if (offers.length === 0) return say(terminal, 'Nothing is offered that matches')
  table(terminal, {
    head: ['data set', 'site', 'title', 'modes', 'purposes', 'release', 'k', 'price of one run'],
    rows: offers.map((one) => [
      paint(terminal, 'strong', one.dataSet),
      `${one.site} (${one.siteCountry})`,
      one.title,
      one.modes.join(', '),
      one.purposes.map((purpose) => purposeName(purpose)).join(', '),
      one.perimeter.release.within.join(', '),
      String(one.minimumGroup),
      tariffText(one.tariff),
    ]),
    widths: [null, null, 22, 12, 22, 12, null, 25],
  })
  if (!withColumns) return
  for (const offer of offers) {
    say(terminal)
    say(terminal, paint(terminal, 'strong', `${offer.dataSet} at ${offer.site}`))
    table(terminal, {
      head: ['column', 'type', 'unit', 'bounds', 'sensitivity', 'category'],
      rows: offer.columns.map((one) => [
        one.name,
        one.type,
        one.unit ?? '',
        one.bounds?.join(' to ') ?? '',
        one.sensitivity === 'ordinary' ? '' : one.sensitivity.replace('_', ' '),
        one.category === undefined ? '' : categoryName(one.category),
      ]),
    })
  }
}

/** A tariff in words: `2.00 EUR a run, 0.50 EUR per 100 people, at most 25.00 EUR`. */
export function tariffText({
  currency,
  perRunMinor,
  per100PeopleMinor,
  per100RowsMinor,
  perCpuSecondMinor,
  minimumFeeMinor,
  capMinor,
}: Tariff): string {
  const parts = [
    [perRunMinor, 'a run'],
    [per100PeopleMinor, 'per 100 people'],
    [per100RowsMinor, 'per 100 rows'],
    [perCpuSecondMinor, 'per CPU second'],
  ] as const
  const text = parts
    .filter(([minor]) => minor > 0)
    .map(([minor, unit]) => `${formatMoney(money(minor, currency))} ${unit}`)
  if (minimumFeeMinor > 0) text.push(`at least ${formatMoney(money(minimumFeeMinor, currency))}`)
  return [...text, `at most ${formatMoney(money(capMinor, currency))}`].join(', ')
}
