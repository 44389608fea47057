import type { Command } from 'commander'
import { later, parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { formatMoney } from '../../kernel/money.ts'
import { momentText, shortMomentText } from '../../protocol/words/plain-words.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { collectPages } from '../../sdk/collect-pages.ts'
import { openOperator } from '../../sdk/operator.ts'
import { amountOf } from '../amount.ts'
import { connectToSite, operatorClient } from '../connect.ts'
import type { NetworkOptions, SiteOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface GiveOptions extends NetworkOptions {
  readonly acquirer: string
  readonly amount: string
  readonly validUntil: string
  readonly clearUntil?: string
  readonly key?: string
  readonly json?: boolean
}

/** `hedgerow network give-floor-limit` and `list-floor-limits`. */
export function addFloorLimitVerbs(network: Command, session: Session): void {
  verb(network, {
    name: 'give-floor-limit <site>',
    summary: 'let a site approve asks of an acquirer while it cannot reach the network (operator)',
    example:
      'hedgerow network give-floor-limit galway --acquirer northcare --amount 200.00EUR --valid-until 7d',
  })
    .requiredOption('--acquirer <member>', 'for whose asks')
    .requiredOption('--amount <amount>', 'the most for all of them together; held on the member’s account')
    .requiredOption(
      '--valid-until <time>',
      'when it ends: an RFC 3339 time, or from now on, such as 12h or 7d',
    )
    .option('--clear-until <time>', 'until when the site may still clear; absent: seven days after the end')
    .option('--key <text>', 'idempotency key; the same key gives nothing again')
    .option('--network <url>', 'address of the network')
    .action((site: string, options: GiveOptions) => perform(session, () => give(session, { site, options })))
  verb(network, {
    name: 'list-floor-limits <site>',
    summary: 'floor limits of a site that are not closed (operator)',
    example: 'hedgerow network list-floor-limits galway',
  })
    .option('--network <url>', 'address of the network')
    .action((site: string, options: NetworkOptions & { json?: boolean }) =>
      perform(session, () => list(session, { site, options })),
    )
}

/** `hedgerow site floor-limits`. */
export function addSiteFloorLimitsVerb(site: Command, session: Session): void {
  addSiteOptions(
    verb(site, {
      name: 'floor-limits',
      summary: 'floor limits of a site: what is booked on each, and what is still to be cleared (operator)',
      example: 'hedgerow site floor-limits --site galway',
    }),
  ).action((options: SiteOptions & { json?: boolean }) =>
    perform(session, () => listAtSite(session, options)),
  )
}

async function give(
  session: Session,
  { site, options }: { site: string; options: GiveOptions },
): Promise<void> {
  const now = session.clock.now()
  const amount = amountOf(options.amount)
  const validUntil = timeOf(options.validUntil, now)
  const { clearUntil } = options
  const given = await openOperator(await operatorClient(session, options)).giveFloorLimit({
    site,
    acquirer: options.acquirer,
    amount,
    validUntil,
    ...(clearUntil === undefined ? {} : { clearUntil: timeOf(clearUntil, now) }),
    idempotencyKey: options.key ?? session.ids.next('flk'),
  })
  show(session, {
    json: options.json,
    value: given,
    print: () =>
      say(
        session.terminal,
        `${site} may approve asks of ${given.acquirer} up to ${formatMoney(given.amount)} until ${momentText(given.validUntil)} (${given.id}); the amount is held`,
      ),
  })
}

async function list(
  session: Session,
  { site, options }: { site: string; options: NetworkOptions & { json?: boolean } },
): Promise<void> {
  const limits = await openOperator(await operatorClient(session, options)).floorLimits(site)
  show(session, {
    json: options.json,
    value: limits,
    print: () =>
      table(session.terminal, {
        none: `${site} has no floor limits`,
        head: ['floor limit', 'acquirer', 'amount', 'captured', 'valid until', 'clear until'],
        rows: limits.map((one) => [
          one.id,
          one.acquirer,
          formatMoney(one.amount),
          formatMoney(one.captured),
          shortMomentText(one.validUntil),
          shortMomentText(one.clearUntil),
        ]),
      }),
  })
}

async function listAtSite(session: Session, options: SiteOptions & { json?: boolean }): Promise<void> {
  const { client, site } = await connectToSite(session, options)
  const limits = await collectPages((cursor) =>
    client.call(SITE_API.siteFloorLimits, { query: { cursor, limit: 200 } }),
  )
  show(session, {
    json: options.json,
    value: limits,
    print: () =>
      table(session.terminal, {
        none: `${site} has no floor limits`,
        head: ['floor limit', 'acquirer', 'amount', 'booked', 'valid until', 'state', 'to clear', 'refused'],
        rows: limits.map((one) => [
          one.id,
          one.acquirer,
          formatMoney(one.amount),
          formatMoney(one.booked),
          shortMomentText(one.validUntil),
          one.state,
          String(one.toClear),
          String(one.refused),
        ]),
      }),
  })
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time as written, or so much from now on. */
function timeOf(text: string, now: Instant): Instant {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return later(now, Number(count) * (UNIT_MS[unit] ?? 0))
  const moment = parseInstant(text)
  if (moment !== undefined) return moment
  throw new WrongUse(`Cannot use "${text}" as a time: expected such as 2026-12-01T00:00:00Z, 12h or 7d`)
}
