import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })
const { operator } = trade.site()

const sql = 'select country, avg(height) /* hidden */ as tall from athletes where score > 5 group by country'

test('the operator sees what the engine is given, printed from the tree and not from the text', async () => {
  const { statements, decline } = await operator.explain({ sql, mode: 'aggregate' })
  assert.equal(decline, undefined)
  const [collect] = statements
  assert.match(collect?.sql ?? '', /eligible_athletes/)
  for (const statement of statements) {
    assert.doesNotMatch(statement.sql, /hidden/)
    assert.match(statement.sql, /^(select|with)\b/i)
  }
})

test('rows and noise have their own statements', async () => {
  const rows = await operator.explain({ sql: 'select height from athletes', mode: 'rows' })
  assert.deepEqual(
    rows.statements.map(({ what }) => what),
    ['the rows of eligible people'],
  )
  const noisy = await operator.explain({ sql: 'select avg(height) from athletes', mode: 'private' })
  assert.ok(noisy.statements.some(({ what }) => what.includes('bounded')))
})

test('what the gate declines is told with its place', async () => {
  const { statements, decline } = await operator.explain({
    sql: 'select pg_sleep(9) from athletes',
    mode: 'aggregate',
  })
  assert.deepEqual(statements, [])
  assert.equal(decline?.reason, 'declined.sql_function')
  assert.equal(decline?.position, 8)
})

test('nobody but the operator is told', async () => {
  const question = { sql, mode: 'aggregate' } as const
  await assert.rejects(trade.site().issuer.explain(question), /may not do that/)
  await assert.rejects(openSiteAdministration(trade.site().client(undefined)).explain(question))
})

test('site explain prints the statements, and ends with 1 on a decline', async (context) => {
  const home = await temporaryHome(context)
  await mkdir(join(home, 'sites'))
  await symlink(trade.site().root, join(home, 'sites', 'galway'))
  const explain = ['site', 'explain', '--site', 'galway', '--url', trade.site().url]
  const shown = await typedHere(home, [...explain, '--sql', sql])
  assert.deepEqual([shown.code, shown.error], [0, ''])
  assert.match(shown.out, /-- groups, with who is behind each\n(select|with)/i)
  const declined = await typedHere(home, [...explain, '--sql', 'select 1/'])
  assert.equal(declined.code, 1)
  assert.match(declined.out, /declined\.sql_syntax/)
  assert.equal((await typedHere(home, [...explain, '--sql', sql, '--mode', 'row'])).code, 2)
})
