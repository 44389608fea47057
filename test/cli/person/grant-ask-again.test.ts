import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { keySetSchema } from '../../../src/protocol/member.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../run-cli.ts'
import { typedHere } from '../typed-here.ts'

test('grant ask-again tells an issuer and its officer whom to ask, on the terminal or into a file', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(12) })
  const keys = keySetSchema.parse(
    JSON.parse((await typedHere(home, ['member', 'keys', 'orla', '--country', 'IE'])).out),
  )
  await openOfficer(
    site.client({ issuer: trade.federation.name, key: trade.federation.signing }),
  ).nameOfficer('orla', keys)
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['grant', 'ask-again', 'athletes', '--url', site.url, '--as', 'orla', ...args])
  const none = await typed('--reason', 'a look')
  assert.deepEqual([none.code, none.out], [0, 'Nobody has to be asked again\n'], none.error)
  await site.issuer.describe(testManifest('athletes', { title: 'Another text' }))
  const shown = await typed('--reason', 'a new text', '--limit', '3')
  assert.match(shown.out, /^person +to +for\np-\d+ +anyone.* +Research and Development\n/)
  const file = join(home, 'to-ask.ndjson')
  const written = await typed('--reason', 'a new text', '--out', file)
  assert.equal(written.out, `${file}\n`, written.error)
  assert.equal((await readFile(file, 'utf8')).trimEnd().split('\n').length, 12)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const json = await typed('--reason', 'a new text', '--json')
  assert.equal((JSON.parse(json.out) as unknown[]).length, 12)
  const operator = await typedHere(home, [
    'grant',
    'ask-again',
    'athletes',
    '--url',
    site.url,
    '--reason',
    'curious',
  ])
  assert.equal(operator.code, 1)
})
