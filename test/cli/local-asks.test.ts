import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { QUICK, allCleared, limitsAt, until } from '../site/floor/local-world.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('from a floor limit to a release of a site that cannot reach its network', async (context) => {
  await using trade = await testTrade({ sites: [{ name: 'galway', settings: QUICK }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(120) })
  const home = await temporaryHome(context)
  await mkdir(join(home, 'sites'))
  await symlink(trade.network.root, join(home, 'network'))
  await symlink(trade.site().root, join(home, 'sites', 'galway'))
  const network = ['--network', trade.network.url]
  const made = await typedHere(home, ['member', 'keys', 'alder-care', '--country', 'IE'])
  const body = {
    id: 'alder-care',
    name: 'Alder Care',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    keys: JSON.parse(made.out),
  }
  await trade.network.call(trade.network.operator, NETWORK_API.addMember, { body })
  await trade.network.deposit(
    { name: 'alder-care', signing: trade.site().signing, sealing: trade.site().signing },
    50_000,
  )
  const give = (...more: readonly string[]) =>
    typedHere(home, [
      'network',
      'give-floor-limit',
      'galway',
      '--acquirer',
      'alder-care',
      ...network,
      ...more,
    ])
  const given = await give('--amount', '20.00EUR', '--valid-until', '7d')
  assert.equal(given.code, 0, given.error)
  assert.match(given.out, /galway may approve asks of alder-care up to 20\.00 EUR/)
  assert.equal((await give('--amount', '20.00EUR', '--valid-until', 'soon')).code, 2)
  assert.equal((await give('--amount', '2000.00EUR', '--valid-until', '7d')).code, 1)
  const listed = await typedHere(home, ['network', 'list-floor-limits', 'galway', ...network])
  assert.match(listed.out, /alder-care\s+20\.00 EUR\s+0\.00 EUR/)
  await until('the site knows', async () => (await limitsAt(trade.site())).length === 1)
  const sql = 'select country, count(*) as n from athletes group by country'
  const question = [
    '--purpose',
    'dpv:AcademicResearch',
    '--mode',
    'aggregate',
    '--sql',
    sql,
    '--as',
    'alder-care',
  ]
  const asked = await typedHere(home, ['ask', '--at', trade.site().url, ...question])
  assert.equal(asked.code, 0, `${asked.error}${asked.out}`)
  assert.match(asked.out, /galway/)
  const asJson = await typedHere(home, ['ask', '--at', trade.site().url, ...question, '--json'])
  assert.equal(JSON.parse(asJson.out).sites[0].reason, 'approved')
  const mean = 'select avg(height) from athletes'
  const stages = ['--stages', '--sql', `select count(*) from athletes where height > (${mean})`]
  const staged = await typedHere(home, ['ask', '--at', trade.site().url, ...question, ...stages, '--json'])
  assert.equal(staged.code, 0, `${staged.error}${staged.out}`)
  assert.equal(JSON.parse(staged.out).sites[0].asks.length, 2)
  assert.equal(
    (await typedHere(home, ['ask', '--at', trade.site().url, ...question, '--site', 'galway'])).code,
    2,
  )
  assert.equal((await typedHere(home, ['ask', '--at', 'http://127.0.0.1:1', ...question])).code, 3)
  await allCleared(trade.site())
  const atSite = await typedHere(home, [
    'site',
    'floor-limits',
    '--site',
    'galway',
    '--url',
    trade.site().url,
  ])
  assert.equal(atSite.code, 0, atSite.error)
  assert.match(atSite.out, /alder-care\s+20\.00 EUR\s+\d/)
})
