import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatInstant, later, systemClock } from '../../src/kernel/clock.ts'
import { HiddenPeople } from '../../src/site/rights/hidden-people.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/** The seventh has a name that stands in no signature by chance. */
const people = testPeople(60, (_, index) => (index === 7 ? { id: 'restricted-person-7' } : {}))
const ROWS = 'select height, score from athletes'

test('a restricted person is in no result, and is again only after the end was told', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const count = async () => (await northcare.ask(ROWS, { mode: 'rows' })).sites[0]?.release?.rows.length
  assert.equal(await count(), 60)
  const desk = site.rights('issuer')
  const made = await desk.restrict({ person: 'restricted-person-7' }, 'accuracy_contested')
  assert.equal(made.state, 'in_force')
  assert.equal(await count(), 59)
  assert.equal(
    (await desk.restrict({ person: 'restricted-person-7' }, 'unlawful')).restriction,
    made.restriction,
  )
  await site.stop()
  await site.start()
  assert.equal(await count(), 59, 'after a restart too')

  const told = await site.rights('issuer').liftRestriction({ person: 'restricted-person-7' })
  assert.equal(told.state, 'lifting')
  assert.equal((told.liftsAt ?? 0) - (told.liftToldAt ?? 0), 72 * 3_600_000)
  assert.equal(await count(), 59, 'told is not lifted')
  const receipts = await site.operator.receipts({ kind: 'restriction', limit: 10 })
  assert.equal(receipts.length, 2)
  assert.doesNotMatch(JSON.stringify(receipts), /restricted-person-7/)
  await assert.rejects(site.rights('issuer').restriction({ person: 'nobody' }), { status: 404 })
})

test('when so many are restricted that too few are left, the reason says it, and of one it says nothing', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: people.slice(0, 60) })
  const northcare = await trade.addAcquirer('northcare')
  const desk = site.rights('issuer')
  for (const { id } of people.slice(0, 55)) await desk.restrict({ person: id }, 'legal_claims')
  const many = await northcare.ask('select count(*) from athletes')
  assert.equal(many.sites[0]?.reason, 'declined.restricted')

  await trade.fill(site, {
    dataSet: 'players',
    people: people.slice(0, 1),
    grants: [
      {
        dataSet: 'players',
        person: 'p-0',
        grantee: { anyone: true },
        purposes: ['dpv:ResearchAndDevelopment'],
        modes: ['rows'],
      },
    ],
  })
  const one = await northcare.ask('select height from players', { mode: 'rows', offer: 'players' })
  assert.equal(one.sites[0]?.reason, 'declined.nobody_eligible')
})

test('a corrected value is what later runs read, and the guard counts the person as changed', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const sum = 'select sum(height) as height from athletes'
  assert.equal((await northcare.ask(sum)).sites[0]?.reason, 'approved')
  const southcare = await trade.addAcquirer('southcare')
  assert.equal((await southcare.ask(ROWS, { mode: 'rows' })).sites[0]?.reason, 'approved')
  const made = await site
    .rights('issuer')
    .correct(
      { person: 'restricted-person-7' },
      { dataSet: 'athletes', set: { height: 2.125, name: 'Neo of Somewhere' } },
    )
  assert.equal(made.rows, 1)
  assert.deepEqual(made.recipients, ['southcare'])
  const fresh = await trade.addAcquirer('eastcare')
  const rows = (await fresh.ask(ROWS, { mode: 'rows' })).sites[0]?.release?.rows ?? []
  assert.equal(rows.filter(([height]) => height === 2.125).length, 1)
  // The difference to the answer before would be this one person's correction.
  assert.equal((await northcare.ask(sum)).sites[0]?.reason, 'declined.differencing')
  const receipts = await site.operator.receipts({ kind: 'correction', limit: 10 })
  assert.equal(receipts.length, 1)
  assert.doesNotMatch(JSON.stringify(receipts), /Neo of Somewhere|2\.125/)
})

test('a correction that does not fit names every column, and touches nobody else’s rows', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const desk = site.rights('issuer')
  const wrong = [
    { id: 'another' },
    { height: 'tall' },
    { birth_date: '2001-02-30' },
    { score: 1.5 },
    { nothing: 1 },
    {},
  ]
  for (const set of wrong)
    await assert.rejects(desk.correct({ person: 'restricted-person-7' }, { dataSet: 'athletes', set }), {
      status: 400,
    })
  const missed = { dataSet: 'athletes', set: { height: 2 }, where: { score: -1 } }
  await assert.rejects(desk.correct({ person: 'restricted-person-7' }, missed), { status: 404 })
  await assert.rejects(desk.correct({ person: 'p-x' }, { ...missed, where: {} }), { status: 404 })
  await assert.rejects(
    desk.correct({ person: 'restricted-person-7' }, { ...missed, where: { name: 'Name 7' } }),
    { status: 400 },
    'sealed columns pick no rows',
  )
  const northcare = await trade.addAcquirer('northcare')
  const rows = (await northcare.ask(ROWS, { mode: 'rows' })).sites[0]?.release?.rows ?? []
  const heights = (all: readonly unknown[]) => all.map(String).toSorted()
  assert.deepEqual(heights(rows.map(([height]) => height)), heights(people.map(({ height }) => height)))
})

test('an end that was told takes effect at its moment, on read', () => {
  const hidden = new HiddenPeople()
  const now = systemClock.now()
  hidden.restrict(3, Infinity)
  hidden.restrict(4, later(now, 1_000))
  assert.deepEqual([...hidden.at(now)], [3, 4])
  assert.deepEqual([...hidden.at(later(now, 999))], [3, 4])
  assert.deepEqual([...hidden.at(later(now, 1_000))], [3], formatInstant(now))
  hidden.hideErased(9)
  assert.deepEqual([...hidden.at(later(now, 1_000))], [3, 9])
})
