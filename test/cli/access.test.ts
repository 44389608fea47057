import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { publicKeys, testParty } from '../../src/testing/test-network.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('access check tells by its exit code whether a use is allowed; access points names who may ask', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(30) })
  await trade.addAcquirer('northcare')
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['access', ...args, '--url', trade.site().url])
  const check = (...args: readonly string[]) =>
    typed('check', '--data-set', 'athletes', '--acquirer', 'northcare', ...args)
  const allowed = await check('--purpose', 'dpv:AcademicResearch')
  assert.deepEqual([allowed.code, allowed.out], [0, 'Allowed\n'], allowed.error)
  const json = JSON.parse(
    (await check('--purpose', 'dpv:AcademicResearch', '--columns', 'height, score', '--json')).out,
  ) as {
    decision: boolean
    context: { obligations: unknown }
  }
  assert.equal(json.decision, true)
  assert.deepEqual(json.context.obligations, { minimumGroup: 10, columns: ['height', 'score'] })
  const refused = await check('--purpose', 'dpv:Marketing')
  assert.equal(refused.code, 1)
  assert.match(refused.out, /^Not allowed: .*\(declined\.purpose\)\n$/)
  assert.equal((await check('--purpose', 'dpv:AcademicResearch', '--custodian', 'edgeworks')).code, 2)
  const kept = await typed('check', '--data-set', 'athletes', '--custodian', 'edgeworks', '--action', 'store')
  assert.equal(kept.out, 'Allowed\n', kept.error)

  const keys = join(home, 'gate.json')
  await writeFile(keys, JSON.stringify(publicKeys(testParty('gate'))))
  assert.equal((await typed('points')).out, 'No application is named\n')
  assert.equal(
    (await typed('points', 'gate', '--keys', keys)).out,
    'gate asks here for the custodian, about data sets\n',
  )
  assert.match((await typed('points')).out, /gate +the custodian/)
  assert.equal((await typed('points', '--remove')).code, 2)
  assert.equal((await typed('points', 'gate', '--remove')).out, 'gate may ask here no longer\n')
  assert.equal((await typed('points', 'gate', '--remove')).code, 1)
})
