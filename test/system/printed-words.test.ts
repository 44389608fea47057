import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'
import { typedHere } from '../cli/typed-here.ts'

// What verbs print for people: days and hours as they are read, purposes and places by their names. Machines have --json.

/** A time of RFC 3339, a term of a vocabulary, a field that has no value, a date of the runtime. */
const OF_A_MACHINE = /\d{4}-\d\d-\d\dT\d\d:|\b(?:dpv|pd|eu-gdpr):\w|\bundefined\b|\bNaN\b|\[object |\d{13}/

let trade: TestTrade
let home: string
const opened = new AsyncDisposableStack()

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'hedgerow-words-'))
  opened.defer(() => rm(home, { recursive: true, force: true }))
  trade = opened.use(await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] }))
  const tariff = { currency: 'EUR' as const, perRunMinor: 20, capMinor: 100 }
  const filling = { dataSet: 'athletes', people: testPeople(60), manifest: { tariff } }
  await trade.fill(trade.site(), filling)
  const acquirer = await trade.addAcquirer('northcare')
  const answered = await acquirer.ask('select country, count(*) as athletes from athletes group by country')
  assert.equal(answered.sites[0]?.status, 'answered')
})
after(() => opened.disposeAsync())

async function printed(...verb: readonly string[]): Promise<string> {
  const run = await typedHere(home, verb)
  assert.ok(run.code === 0 || run.code === 1, `${verb.join(' ')}: ${run.error}`)
  assert.equal(run.error, '')
  assert.ok(run.out.trim() !== '', `${verb.join(' ')} prints nothing`)
  return run.out
}

suite('what is printed for people', () => {
  const person = ['--person', 'p-1', '--issuer', 'federation', '--reason', 'she asked by telephone']
  const verbs: readonly (readonly string[])[] = [
    ['grant', 'list', '--limit', '3'],
    ['grant', 'list', '--limit', '3', '--dataset', 'athletes'],
    ['dataset', 'list'],
    ['dataset', 'retention'],
    ['dataset', 'usage', 'athletes'],
    ['receipt', 'list'],
    ['receipt', 'list', '--kind', 'backup'],
    ['request', 'list'],
    ['site', 'evidence'],
    ['site', 'backups'],
    ['site', 'floor-limits'],
    ['site', 'doctor'],
    ['officer', 'register'],
    ['officer', 'incident', 'list'],
    ['officer', 'basis', 'list'],
    ['officer', 'named'],
    ['person', 'uses', ...person],
    ['person', 'earnings', ...person],
    ['person', 'accesses', ...person],
    ['person', 'notices', ...person],
    ['person', 'bases', ...person],
    ['person', 'age', ...person],
    ['guardian', 'list', ...person],
  ]
  for (const verb of verbs) {
    test(`"${verb.slice(0, 2).join(' ')}" has no word of a machine`, async () => {
      const out = await printed(...verb, '--url', trade.site().url)
      assert.doesNotMatch(out, OF_A_MACHINE)
    })
  }

  test('offers say what a purpose is called, and take it by that name as by its term', async () => {
    const network = ['--network', trade.network.url]
    const all = await printed('offers', '--columns', ...network)
    assert.doesNotMatch(all, OF_A_MACHINE)
    // In a narrow column: on two lines.
    assert.match(all, /Research and .*\n +rows +Development /)
    for (const name of ['dpv:AcademicResearch', 'Academic Research', 'academic research'])
      assert.equal(await printed('offers', '--columns', '--purpose', name, ...network), all)
  })

  test('a share of less than a cent is said to be one', async () => {
    const uses = await printed('person', 'uses', ...person, '--url', trade.site().url)
    assert.match(uses, /Academic .*less than/)
    assert.match(uses, /\n {2}columns .*used in .*on the basis of /)
    // As wide as most terminals.
    assert.ok(
      uses.split('\n').every((line) => line.length <= 120),
      uses,
    )
    assert.doesNotMatch(uses, / 0\.00 EUR/)
    const file = join(home, 'page.html')
    await writeFile(file, '')
    await printed('person', 'export', ...person, '--format', 'html', '--out', file, '--url', trade.site().url)
  })
})
