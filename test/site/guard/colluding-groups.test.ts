import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { sql } from 'kysely'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { askIdSchema } from '../../../src/protocol/wire.ts'
import { writeBeside } from '../../../src/site/asks/beside-answer.ts'
import { openColludingGroups } from '../../../src/site/guard/colluding-groups.ts'
import type { ColludingGroups } from '../../../src/site/guard/colluding-groups.ts'
import { checkCuts } from '../../../src/site/guard/differencing.ts'
import { writeCuts } from '../../../src/site/guard/partition-record.ts'
import { openPrivacyLedger } from '../../../src/site/privacy/privacy-ledger.ts'
import { openPartitionStore } from '../../../src/site/guard/partition-store.ts'
import type { PartitionStore } from '../../../src/site/guard/partition-store.ts'
import { GuardHolds, insertHolds } from '../../../src/site/guard/guard-holds.ts'
import { debitRefusals } from '../../../src/site/guard/refusal-budget.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { range } from './released-history.ts'
import { testLook } from './test-look.ts'

const k = 10
const DRY = askIdSchema.parse(`ask_${'7'.repeat(26)}`)

interface Guard {
  readonly groups: ColludingGroups
  readonly partitions: PartitionStore
  readonly holds: GuardHolds
}

async function openGuard(db: Database, declared: readonly (readonly string[])[] = []): Promise<Guard> {
  await migrate(db, SITE_MIGRATIONS)
  const partitions = openPartitionStore({ db, cacheBytesMax: 1 << 20, minimumGroupOf: () => k })
  const one = { epsilon: 1, delta: 1e-6 }
  const budgets = openPrivacyLedger({ db, budgets: { personAndAcquirer: one, person: one } })
  const holds = await GuardHolds.open(db)
  const groups = await openColludingGroups({ db, clock: systemClock, partitions, budgets, holds, declared })
  return { partitions, groups, holds }
}

/** One ask for the people from 0 up to a border, by whoever it is; undefined where it has to be asked again. */
async function ask(
  { groups, partitions }: Guard,
  db: Database,
  { member, until, colludesWith }: { member: string; until: number; colludesWith?: readonly string[] },
): Promise<boolean | undefined> {
  const group = await groups.groupOf({ id: member, colludesWith })
  using hold = await partitions.hold(await partitions.look(testLook(group)))
  if (!hold) return undefined
  const request = { eligible: range(0, 400), sets: [range(0, until)], rowShapes: new Map(), minimumGroup: k }
  const checked = checkCuts(hold.partition('athletes'), request)
  if (!checked.ok) return false
  const plans = [{ dataSet: 'athletes', plan: checked.value }]
  await db.transaction().execute((tx) => writeCuts(tx, hold.cutsOf({ ask: `${member}-${until}`, plans })))
  return true
}

test('a member that is declared to collude is refused what would cut an answer to the other', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const guard = await openGuard(db)
  assert.equal(await ask(guard, db, { member: 'atlas', until: 100 }), true)
  assert.equal(await ask(guard, db, { member: 'northcare', until: 200 }), true)
  assert.equal(await ask(guard, db, { member: 'stranger', until: 101 }), true)
  assert.equal(await ask(guard, db, { member: 'northcare', until: 101, colludesWith: ['atlas'] }), false)
  assert.equal(await ask(guard, db, { member: 'atlas', until: 199 }), false)
  assert.equal(await ask(guard, db, { member: 'atlas', until: 150 }), true)
})

test('a declaration stands when the network says nothing of it any more, and after a restart', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const guard = await openGuard(db)
  assert.equal(await ask(guard, db, { member: 'atlas', until: 100 }), true)
  assert.equal(await ask(guard, db, { member: 'northcare', until: 100, colludesWith: ['atlas'] }), true)
  for (const again of [guard, await openGuard(db)]) {
    assert.equal(await again.groups.groupOf({ id: 'northcare' }), 'atlas')
    assert.equal(await ask(again, db, { member: 'northcare', until: 101 }), false)
  }
  await assert.rejects(sql`delete from colluding_member`.execute(db))
})

test('groups that share a member become one, whoever says so', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const { groups } = await openGuard(db, [['delta', 'cargo']])
  assert.equal(await groups.groupOf({ id: 'cargo' }), 'cargo')
  assert.equal(await groups.groupOf({ id: 'delta' }), 'cargo')
  assert.equal(await groups.groupOf({ id: 'birch', colludesWith: ['atlas'] }), 'atlas')
  assert.equal(await groups.groupOf({ id: 'birch', colludesWith: ['delta'] }), 'atlas')
  for (const id of ['atlas', 'birch', 'cargo', 'delta']) assert.equal(await groups.groupOf({ id }), 'atlas')
  assert.equal(await groups.groupOf({ id: 'other' }), 'other')
})

test('a group that becomes part of another brings all its members, and lists that share one are one, in whatever order', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const { groups } = await openGuard(db)
  assert.equal(await groups.groupOf({ id: 'delta', colludesWith: ['cargo'] }), 'cargo')
  assert.equal(await groups.groupOf({ id: 'birch', colludesWith: ['delta'] }), 'birch')
  assert.equal(await groups.groupOf({ id: 'cargo' }), 'birch')
  const listed = await openGuard(db, [
    ['north', 'south'],
    ['middle', 'north'],
  ])
  assert.equal(await listed.groups.groupOf({ id: 'middle' }), 'middle')
  // Pinned: it stands without the lists.
  assert.equal(await (await openGuard(db)).groups.groupOf({ id: 'south' }), 'middle')
})

test('an ask that looked before its group became part of another is asked again', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const { groups, partitions } = await openGuard(db)
  const look = await partitions.look(testLook('northcare'))
  await groups.groupOf({ id: 'northcare', colludesWith: ['atlas'] })
  assert.equal(await partitions.hold(look), undefined)
})

test('a merge that fails leaves both groups as they were', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const guard = await openGuard(db)
  assert.equal(await ask(guard, db, { member: 'atlas', until: 100 }), true)
  assert.equal(await ask(guard, db, { member: 'northcare', until: 200 }), true)
  await assert.rejects(
    guard.partitions.merge({ into: 'atlas', from: ['northcare'] }, () =>
      Promise.reject(new Error('no power')),
    ),
  )
  assert.equal(await guard.groups.groupOf({ id: 'northcare' }), 'northcare')
  assert.equal(await ask(guard, db, { member: 'northcare', until: 101 }), true)
  assert.equal((await guard.partitions.look(testLook('atlas'))).partition('athletes').head, 1)
})

test('what was held back from each is held back from the group, and what was kept for equal asks is kept no more', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const { groups, partitions } = await openGuard(db)
  const refuse = (acquirerGroup: string, withheld: number) => {
    const facts = { acquirerGroup, dataSets: ['athletes'], ask: `of ${acquirerGroup}`, now: instant(1) }
    return debitRefusals(db, { ...facts, state: 'any' }, withheld)
  }
  for (const [name, withheld] of [
    ['atlas', 3],
    ['northcare', 4],
    ['stranger', 5],
  ] as const)
    await refuse(name, withheld)
  const spentOf = async (group: string) => (await partitions.look(testLook(group))).refusals.spent
  // What a dry run was let through may not have been given out, and beside what the others know it tells of single people.
  const keptOf = async (group: string) => (await partitions.look(testLook(group))).stored?.sealed
  for (const acquirerGroup of ['atlas', 'northcare', 'stranger']) {
    const { epoch } = await partitions.look(testLook(acquirerGroup))
    const kept = { ask: DRY, sealed: `of ${acquirerGroup}`, people: range(0, k), now: instant(1) }
    await writeBeside(db, { release: { acquirerGroup, epoch, ...kept } })
    assert.equal(await keptOf(acquirerGroup), `of ${acquirerGroup}`)
  }
  await groups.groupOf({ id: 'northcare', colludesWith: ['atlas'] })
  assert.deepEqual([await spentOf('atlas'), await spentOf('stranger')], [7, 5])
  assert.deepEqual([await keptOf('atlas'), await keptOf('stranger')], [undefined, 'of stranger'])
  await groups.groupOf({ id: 'northcare', colludesWith: ['atlas', 'stranger'] })
  assert.equal(await spentOf('atlas'), 12)
})

test('a group that somebody joins who is held since a restore is held, and after a start as well', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const held = { groups: ['northcare'], backup: 'of yesterday', now: instant(1) }
  await db.transaction().execute((tx) => insertHolds(tx, held))
  const { groups, holds } = await openGuard(db)
  assert.ok(holds.check('atlas', 'aggregate').ok)
  const group = await groups.groupOf({ id: 'northcare', colludesWith: ['atlas'] })
  for (const { holds: now } of [{ holds }, await openGuard(db)]) {
    assert.equal(now.check(group, 'aggregate').ok, false)
    assert.ok(now.check(group, 'private').ok)
    assert.ok(now.check('stranger', 'aggregate').ok)
  }
  assert.equal(await holds.lift({ group, reason: 'asked', now: instant(2) }), true)
  assert.ok(holds.check(group, 'aggregate').ok)
})
