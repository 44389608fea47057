import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { PrivacyLedger } from '../privacy/privacy-ledger.ts'
import type { GuardHolds } from './guard-holds.ts'
import type { PartitionStore } from './partition-store.ts'
import { joinRefusals } from './refusal-budget.ts'

/** An acquirer, with those whom the network has declared to put their answers together with it. */
export interface DeclaredMember {
  readonly id: string
  readonly colludesWith?: readonly string[] | undefined
}

/** Which acquirers are guarded as one. Groups only grow: what was known together is known for good. */
export interface ColludingGroups {
  /**
   * The name under which answers to an acquirer are kept apart from answers to others: its own, or one for its group.
   * What was declared since it last asked comes into force first.
   */
  groupOf(acquirer: DeclaredMember): Promise<string>
}

/**
 * The groups as this site believes them: those it has pinned, those of its own settings, and those that a network
 * declares. A network that forgets a declaration changes nothing here.
 */
export async function openColludingGroups({
  db,
  clock,
  partitions,
  budgets,
  holds,
  declared,
}: {
  readonly db: Database
  readonly clock: Clock
  readonly partitions: PartitionStore
  readonly budgets: Pick<PrivacyLedger, 'join'>
  readonly holds: Pick<GuardHolds, 'join'>
  /** The site's own setting: lists of acquirers. */
  readonly declared: readonly (readonly string[])[]
}): Promise<ColludingGroups> {
  const { rows } = await sql<{ member: string; group_name: string }>`
    select member, group_name from colluding_member`.execute(db)
  const pinned = new Map(rows.map((row) => [row.member, row.group_name]))
  let turn: Promise<unknown> = Promise.resolve()
  const join = async (acquirer: DeclaredMember): Promise<string> => {
    const groups = groupsAround(acquirer, { pinned, declared })
    const [into = acquirer.id, ...from] = groups.names
    if (from.length === 0) return into
    await budgets.join({ into, from }, (joinAccounts) =>
      partitions.merge({ into, from }, async (tx) => {
        await sql`
          insert into colluding_member (member, group_name, since_ms)
          select member, ${into}, ${clock.now()}::bigint from unnest(${[...groups.members]}::text[]) as named (member)
          on conflict (member) do update set group_name = excluded.group_name`.execute(tx)
        await joinAccounts(tx)
        await joinRefusals(tx, { into, from })
        await holds.join(tx, { into, from })
      }),
    )
    for (const member of groups.members) pinned.set(member, into)
    return into
  }
  return {
    groupOf: async (acquirer) => {
      const { names } = groupsAround(acquirer, { pinned, declared })
      const [only = acquirer.id] = names
      if (names.length <= 1) return only
      const joined = turn.then(
        () => join(acquirer),
        () => join(acquirer),
      )
      turn = joined.catch(() => undefined)
      return joined
    },
  }
}

interface Known {
  readonly pinned: ReadonlyMap<string, string>
  readonly declared: readonly (readonly string[])[]
}

/** Everybody who is in one group with an acquirer by any source, and the names of the groups that they are in so far. */
function groupsAround(
  { id, colludesWith = [] }: DeclaredMember,
  { pinned, declared }: Known,
): { readonly members: ReadonlySet<string>; readonly names: readonly string[] } {
  const members = new Set([id, ...colludesWith])
  const groupOf = (member: string): string => pinned.get(member) ?? member
  for (let count = 0; count < members.size;) {
    count = members.size
    for (const list of declared)
      if (list.some((member) => members.has(member))) for (const member of list) members.add(member)
    const groups = new Set([...members].map(groupOf))
    for (const [member, group] of pinned) if (groups.has(group)) members.add(member)
  }
  return { members, names: [...new Set([...members].map(groupOf))].toSorted() }
}
