import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../run-cli.ts'
import { typedHere } from '../typed-here.ts'

test('of several who are named those who are known are erased and shown, and the others are told by their place', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(5) })
  const erase = (...words: readonly string[]) =>
    typedHere(home, [
      'person',
      'erase',
      ...words.flatMap((word) => (word.startsWith('--') ? [word] : ['--person', `federation:${word}`])),
      '--url',
      trade.site().url,
    ])
  const some = await erase('nobody-1', 'p-1', 'nobody-2', 'p-2')
  assert.equal(some.code, 1)
  assert.equal(some.out.match(/^erasure_/gm)?.length, 2, some.out)
  assert.match(some.error, /^Not erased: number 1, 3 of those that were named\nThere is no such person at /)
  assert.doesNotMatch(some.error, /nobody-/, 'a key leads to somebody')
  const [data] = await trade.site().operator.dataSets()
  assert.equal(data?.people, 3)

  const none = await erase('p-1', 'p-2')
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.error, /^There is no such person at /)
  const all = await erase('p-0', 'p-3')
  assert.deepEqual([all.code, all.error], [0, ''])

  const atOnce = await erase('p-4', 'nobody-3', '--now')
  assert.equal(atOnce.code, 1)
  assert.match(atOnce.out, /^erasure_\w+: permanent; in no file of the site since /)
})
