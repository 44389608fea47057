import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'
import { typedHere } from './typed-here.ts'

suite('consent records and receipts on the command line', () => {
  let home: string
  let trade: TestTrade
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-consents-'))
    trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
    await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(3) })
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  const typed = (...args: readonly string[]) => typedHere(home, [...args, '--url', trade.site().url])
  const list = (...args: readonly string[]) => typed('grant', 'list', '--format', '27560', ...args)

  test('grant list --format 27560 writes the records of one person, who is named and told why', async () => {
    const out = join(home, 'records.jsonld')
    const whose = ['--person', 'p-1', '--issuer', 'federation', '--reason', 'she asked', '--out', out]
    const listed = await list(...whose)
    assert.equal(listed.code, 0, listed.error)
    assert.equal((await stat(out)).mode & 0o077, 0, 'readable by others')
    const document = JSON.parse(await readFile(out, 'utf8')) as { '@graph': readonly { '@type': string }[] }
    assert.deepEqual(
      document['@graph'].map((record) => record['@type']),
      ['dpv:ConsentRecord'],
    )
    assert.equal((await list()).code, 2)
    assert.equal((await typed('grant', 'list', '--format', 'xml')).code, 2)
    assert.match((await typed('grant', 'list', '--out', out)).error, /^Cannot use --out: .* --format 27560/)
    assert.equal((await list('--person', 'p-1', '--issuer', 'federation')).code, 2)
    const receipt = await typed('person', 'consents', '--form', 'receipt', ...whose.slice(0, 6))
    assert.match(receipt.out, /"@type": "dpv:ConsentReceipt"/)
    assert.equal((await typed('person', 'consents', '--form', 'pdf', ...whose.slice(0, 6))).code, 2)
  })

  test('grant give takes only what a site wrote and what stands; the operator gives nothing', async () => {
    const file = join(home, 'foreign.jsonld')
    const give = () => typed('grant', 'give', '--format', '27560', '--file', file)
    await writeFile(file, '{"@graph": [{"@type": "dpv:ConsentRecord", "dct:identifier": "x"}]}')
    const foreign = await give()
    assert.equal(foreign.code, 2)
    assert.match(foreign.error, /expected consent records of TS 27560 as a site writes them/)
    await writeFile(file, await readFile(join(home, 'records.jsonld')))
    assert.notEqual((await give()).code, 0)
    const withdrawn = (await readFile(file, 'utf8')).replaceAll('dpv:ConsentGiven', 'dpv:ConsentWithdrawn')
    await writeFile(file, withdrawn)
    assert.match((await give()).error, /no record in .* is of a consent that stands/)
  })

  test('receipt save writes receipts and the keys that verify them, all or none', async () => {
    const to = join(home, 'proof')
    const refused = await typed('receipt', 'save', '0', '999999', '--to', to)
    assert.equal(refused.code, 1)
    assert.match(refused.error, /^There is no receipt "999999" at /)
    assert.ok(!existsSync(to), 'nothing is written')
    const saved = await typed('receipt', 'save', '0', '1', '--to', to)
    assert.equal(saved.code, 0, saved.error)
    const [first = '', second = '', keys = ''] = saved.out.trimEnd().split('\n')
    const verify = (file: string) => typedHere(home, ['receipt', 'verify', file, '--keys', keys])
    assert.match((await verify(first)).out, /verifies {2}\w+ 0 of galway/)
    await writeFile(second, (await readFile(second, 'utf8')).replace(/"receipt": "(.)/, '"receipt": "x$1'))
    assert.equal((await verify(second)).code, 1)
    assert.equal((await typed('receipt', 'save', 'first')).code, 2)
  })
})
