import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { lineageOf } from '../../../src/site/lineage.ts'
import { openSiteAdministration } from '../../../src/sdk/issuer.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(100) })
const asker = await trade.addAcquirer('northcare')

const sql =
  "select country, avg(height) from athletes where score > 5 and country <> 'XX' group by country order by country"

test('the map of use says who used what, where and how often, and what nobody uses', async () => {
  const before = await trade.site().issuer.columnUses('athletes')
  assert.deepEqual([before.columns, before.neverUsed], [[], ['country', 'birth_date', 'height', 'score']])
  for (let time = 0; time < 2; time += 1) assert.equal((await asker.ask(sql)).sites[0]?.reason, 'approved')
  await asker.ask(sql, { dryRun: true })
  await asker.ask('select max(birth_date) from athletes')
  const used = await trade.site().issuer.columnUses('athletes')
  assert.deepEqual(
    used.columns.map(({ column, uses }) => [
      column,
      uses.map(({ clause, acquirer, purpose, releases }) => [clause, acquirer, purpose, releases].join(' ')),
    ]),
    [
      [
        'country',
        ['group', 'order', 'select', 'where'].map((clause) => `${clause} northcare dpv:AcademicResearch 2`),
      ],
      ['height', ['select northcare dpv:AcademicResearch 2']],
      ['score', ['where northcare dpv:AcademicResearch 2']],
    ],
  )
  assert.deepEqual(used.neverUsed, ['birth_date'])
  assert.deepEqual(await trade.site().operator.columnUses('athletes'), used)
})

test('the map of use is for the operator and the issuer alone', async () => {
  const other = openSiteAdministration(
    trade.site().client({ issuer: asker.party.name, key: asker.party.signing }),
  )
  await assert.rejects(other.columnUses('athletes'))
  await assert.rejects(openSiteAdministration(trade.site().client(undefined)).columnUses('athletes'))
  await assert.rejects(trade.site().operator.columnUses('nothing'))
})

test('the lineage that an offer gives is the one that the receipt carries', async () => {
  const { items } = await trade.network.call(undefined, NETWORK_API.listOffers, { query: {} })
  const lineage = lineageOf({ sql, parameters: [], mode: 'aggregate' }, items)
  assert.ok(lineage.ok)
  const [site] = (await asker.ask(sql)).sites
  const receipts = site?.bundles.map(({ receipt }) => JSON.parse(peekJws(receipt)?.payload ?? '{}'))
  assert.deepEqual(
    receipts?.map((receipt: { lineage: string }) => receipt.lineage),
    [lineage.value.digest, lineage.value.digest],
  )
  assert.deepEqual(
    lineage.value.uses.find(({ column }) => column === 'height'),
    { dataSet: 'athletes', column: 'height', clause: 'select', outputs: ['avg'] },
  )
  const declined = lineageOf({ sql: 'select name from athletes', parameters: [], mode: 'rows' }, items)
  assert.equal(declined.ok ? 'ok' : declined.error.code, 'declined.column')
})

test('the command line prints both', async (context) => {
  const home = await temporaryHome(context)
  const lineage = ['lineage', '--network', trade.network.url]
  const printed = await typedHere(home, [
    ...lineage,
    '--sql',
    'select avg(height) from athletes where score > 5',
  ])
  assert.deepEqual([printed.code, printed.error], [0, ''])
  assert.match(printed.out, /athletes +height +select +avg\n *athletes +score +where/)
  const asJson = await typedHere(home, [...lineage, '--json', '--sql', 'select max(height) from athletes'])
  assert.equal(asJson.code, 1)
  assert.match(asJson.out, /"reason": ?"declined.sql_function"[^]*"position": ?8/)
  const declined = await typedHere(home, [...lineage, '--sql', 'select max(height) from athletes'])
  assert.match(declined.out, /select max\(height\) from athletes\n {9}\^/)
  assert.equal((await typedHere(home, lineage)).code, 2)
  await mkdir(join(home, 'sites'))
  await symlink(trade.site().root, join(home, 'sites', 'galway'))
  const usage = await typedHere(home, [
    'dataset',
    'usage',
    'athletes',
    '--site',
    'galway',
    '--url',
    trade.site().url,
  ])
  assert.deepEqual([usage.code, usage.error], [0, ''])
  assert.match(usage.out, /score +where +northcare +Academic Research +3[^]*never used: birth_date/)
})
