import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { readTakenBack } from '../../../src/site/backup/kept-apart.ts'
import { restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

test('of two restrictions that are made at the same time the safe has both, whichever is there first', async () => {
  await using bare = await bareSite()
  const { site } = bare
  // Of different data sets: a change of one is noted by one at a time.
  const people = testPeople(2)
  await bare.fill({ dataSet: 'athletes', people: people.slice(0, 1), hasGrants: false })
  await bare.fill({ dataSet: 'study', people: people.slice(1), hasGrants: false })
  const requestFor = async (key: string) => ({
    person: await bare.numberOf(key),
    issuer: memberIdSchema.parse('federation'),
    reason: 'accuracy_contested' as const,
    requestedBy: 'person',
  })
  const entered = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const slowLog: typeof site.log = {
    ...site.log,
    issue: async (tx, drafts) => {
      entered.resolve()
      await open.promise
      return site.log.issue(tx, drafts)
    },
  }
  const first = restrictPerson({ ...site, log: slowLog }, await requestFor('p-0'))
  await entered.promise
  let isOver = false
  const second = restrictPerson(site, await requestFor('p-1')).finally(() => {
    isOver = true
  })
  const isWaiting = async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      site.db,
    )
    return rows.length > 0
  }
  while (!isOver && !(await isWaiting())) await systemClock.sleep(1)
  open.resolve()
  const made = await Promise.all([first, second])
  const kept = (await readTakenBack(site.backups.safe)).flatMap(({ restrictions }) => restrictions)
  assert.deepEqual(
    kept.map(({ restriction }) => restriction).toSorted(),
    made.map(({ restriction }) => restriction).toSorted(),
  )
})
