import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { makeBackup } from '../../src/site/backup/make-backup.ts'
import { nameOfParts } from '../../src/site/guard/partition-names.ts'
import { rotateMasterKey } from '../../src/site/rotate-master-key.ts'
import type { SiteContext } from '../../src/site/site-context.ts'
import { testAsker } from '../../src/testing/test-asker.ts'
import { ShiftedClock, testRestore } from '../../src/testing/test-backup.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { bareSite } from '../../src/testing/test-site.ts'
import type { BareSite } from '../../src/testing/test-site.ts'

/*
 * Everybody else made alike in two questions, of which the first was answered before a site stopped, was put back from a backup or had its
 * keys replaced. Measure of success: the second is answered about the target, as it is to whoever has not asked the first.
 */

const clock = new ShiftedClock()
/** One of Iceland among sixty, of whom half have a score of 10 and the others one of 20. */
const TARGET = 30
const people = testPeople(60, (_, index) =>
  index === TARGET ? { country: 'IS', score: 15 } : { score: index % 2 === 0 ? 10 : 20 },
)
const SUM = 'select count(*), sum(score) from athletes'
const WHO = "select count(*) from athletes where score = 10 or country = 'IS'"

/** Two questions by two acquirers: of the first it matters what it summed, of the second whom it told apart. */
const HISTORIES = [
  {
    name: 'adder',
    first: SUM,
    second: `${SUM} where score <> 10 and country <> 'IS'`,
    told: { reason: 'declined.differencing', rows: undefined },
  },
  {
    name: 'asker',
    first: WHO,
    second: `${SUM} where country in ('IE', 'IS')`,
    // Nobody of whom it was asked before.
    told: { reason: 'partial.differencing', rows: [[10, 200]] },
  },
]

let bare: BareSite
/** The site that is asked. */
let site: SiteContext
const asked = {
  get site() {
    return site
  },
}
const askers = HISTORIES.map((history) => ({ ...history, asker: testAsker(asked, history.name) }))
before(async () => {
  bare = await bareSite(clock)
  await bare.fill({ dataSet: 'athletes', people })
  ;({ site } = bare)
  for (const { asker, first } of askers) assert.equal((await asker.ask(first)).reason, 'approved')
})
after(() => bare[Symbol.asyncDispose]())

/** Every attack at a site in which the histories are. */
async function allFail(at: SiteContext): Promise<void> {
  site = at
  for (const { asker, second, told } of askers) assert.deepEqual(await asker.ask(second), told)
}

async function notesOf({ db }: SiteContext) {
  const { rows } = await sql`
    select acquirer_group, head, row_shapes, encode(delta, 'hex') as delta from partition_entry
    where data_set = ${nameOfParts('athletes')} order by acquirer_group, head`.execute(db)
  return rows
}

test('the second question alone is answered', async () => {
  for (const { name, second } of HISTORIES)
    assert.equal((await testAsker(asked, `${name}-anew`).ask(second)).reason, 'approved', second)
})

test('fails: after the site was stopped and started', async () => {
  const notes = await notesOf(site)
  assert.ok(notes.length >= HISTORIES.length)
  const opened = await bare.reopen()
  assert.deepEqual(await notesOf(opened), notes)
  await allFail(opened)
})

test('fails: at a site that was put back from a backup', async () => {
  const notes = await notesOf(bare.site)
  await using place = await testRestore(bare, await makeBackup(bare.site))
  await place.restore()
  const restored = await place.open()
  assert.deepEqual(await notesOf(restored), notes)
  await allFail(restored)
})

test('fails: after the key of the site was replaced', async () => {
  const { root, settings } = bare
  const opened = await bare.reopen(async () => {
    await rotateMasterKey({ root, settings, log: silentLog, clock, random: systemRandom })
  })
  await allFail(opened)
})
