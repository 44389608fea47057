import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import { keepMemberAddresses } from './member-addresses.ts'

/** What members are called, by id: as they said themselves at the seat, else as the network tells it. */
export type PartyNames = ReadonlyMap<string, string>

/** Reads what members are called. A person reads the name; the id stands beside it, because it is what is signed. */
export async function readPartyNames(db: Database): Promise<PartyNames> {
  const { rows } = await sql<{ id: string; name: string }>`
    ${KEPT} select id, name from pinned_member where name is not null and name <> id
    union all
    select member, contact->>'name' from party_contact where contact->>'name' is not null`.execute(db)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Between looks for members that are new here, and how many of them pass until those that are known are looked at again. */
const LOOK_EVERY_MS = 60_000
const LOOKS_UNTIL_AGAIN = 60

/**
 * Learns what the custodian and the issuers are called, which ask nothing and so are not told of with asks, and where everybody is
 * written to, until `signal` is aborted. While the network is away they go by their ids, and what was known stays.
 */
export async function learnParties(
  site: SiteContext,
  {
    line,
    clock,
    signal,
  }: { line: Pick<NetworkLine, 'member' | 'contacts'>; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const known = new Set<string>()
  for (let look = 0; !signal.aborted; look += 1) {
    if (look % LOOKS_UNTIL_AGAIN === 0) known.clear()
    const issuers = [...site.manifests().values()].map(({ issuer }) => issuer)
    for (const id of new Set([site.custodian, ...issuers]).difference(known)) {
      const member = await line.member(memberIdSchema.parse(id)).catch(() => undefined)
      if (!member || signal.aborted) continue
      known.add(id)
      await site.pins
        .pin({ member, now: clock.now() })
        .catch((error: unknown) => site.events.failed('learning what a member is called', error))
    }
    await learnAddresses(site, { line, signal })
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

async function learnAddresses(
  { db, events }: Pick<SiteContext, 'db' | 'events'>,
  { line, signal }: { line: Pick<NetworkLine, 'contacts'>; signal: AbortSignal },
): Promise<void> {
  const told = await line.contacts(signal).catch(() => undefined)
  if (!told || signal.aborted) return
  await keepMemberAddresses(db, told).catch((error: unknown) =>
    events.failed('learning where members are written to', error),
  )
}
