import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { publicKeys, testParty } from '../../src/testing/test-network.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('officer named names, lists and dismisses the custodian’s officer', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({
    sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }],
  })
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['officer', 'named', ...args, '--url', trade.site().url])
  const keys = join(home, 'orla.json')
  await writeFile(keys, JSON.stringify(publicKeys(testParty('orla'))))
  assert.equal((await typed()).out, 'Nobody is named\n')
  const named = await typed('orla', '--keys', keys)
  assert.equal(named.out, 'orla reads here as the officer of the custodian\n', named.error)
  const [listed] = JSON.parse((await typed('--json')).out) as readonly { officer: string }[]
  assert.equal(listed?.officer, 'orla')
  assert.equal((await typed('--remove')).code, 2)
  assert.equal((await typed('orla', '--remove')).out, 'orla may read here no longer\n')
  assert.equal((await typed('orla', '--remove')).code, 1)
  await typed('orla', '--keys', keys)
  assert.deepEqual(JSON.parse((await typed('orla', '--remove', '--json')).out), {
    officer: 'orla',
    isRemoved: true,
  })
})
