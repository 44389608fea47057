import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { stringify } from 'yaml'
import { testManifest } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { typedHere } from '../typed-here.ts'

suite('policy as files', () => {
  let home: string
  let policy: string
  let trade: TestTrade
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-policy-'))
    policy = join(home, 'policy')
    await mkdir(policy)
    trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const manifest = (more: object = {}) => ({ ...testManifest('walks'), title: 'Walks', ...more })
  const write = (name: string, value: unknown) =>
    writeFile(join(policy, name), stringify(value, { aliasDuplicateObjects: false }))
  const typed = (verb: 'plan' | 'apply', ...more: readonly string[]) =>
    typedHere(home, ['policy', verb, policy, '--url', trade.site().url, ...more])

  test('a plan says what would be added and changes nothing; apply does it; then there is nothing to do', async () => {
    await write('walks.yaml', manifest())
    const planned = await typed('plan')
    assert.equal(planned.out, '+ walks: Walks\n1 to add, 0 to change, 0 as they are\n')
    assert.deepEqual(await trade.site().operator.dataSets(), [])
    const applied = await typed('apply')
    assert.match(applied.out, /^\+ walks: Walks\n.*\nIn force at galway\n$/)
    const [walks] = await trade.site().operator.dataSets()
    assert.equal(walks?.dataSet, 'walks')
    const again = await typed('apply')
    assert.equal(
      again.out,
      '= walks: as it is\n0 to add, 0 to change, 1 as they are\nNothing to do at galway\n',
    )
  })

  test('a change is told term by term, and a wrong file beside it keeps everything as it was', async () => {
    await write('walks.yaml', manifest({ title: 'Long walks', purposes: ['dpv:AcademicResearch'] }))
    const planned = await typed('plan', '--json')
    assert.deepEqual((JSON.parse(planned.out) as [{ action: string; changes: object[] }])[0].changes, [
      { field: 'title', from: '"Walks"', to: '"Long walks"' },
      { field: 'purposes', from: '["dpv:ResearchAndDevelopment"]', to: '["dpv:AcademicResearch"]' },
    ])
    await write('wrong.yaml', manifest({ dataSet: 'wrong', modes: ['all'] }))
    const refused = await typed('apply')
    assert.equal(refused.code, 2)
    assert.match(refused.error, /Cannot use the manifest ".*wrong\.yaml": modes\[0\]: expected one of/)
    assert.equal((await trade.site().operator.dataSets())[0]?.title, 'Walks')
    await rm(join(policy, 'wrong.yaml'))
    assert.equal((await typed('apply')).code, 0)
    assert.equal((await trade.site().operator.dataSets())[0]?.title, 'Long walks')
  })

  test('tests of a policy are run off line by the checks of a site', async () => {
    await write('terms.yaml', manifest())
    const use = { purpose: 'dpv:AcademicResearch', mode: 'aggregate', releaseTo: { jurisdiction: 'DE' } }
    const tests = [
      { name: 'research in the EEA', ...use, expect: 'admitted' },
      {
        name: 'not in India',
        ...use,
        releaseTo: { jurisdiction: 'IN' },
        expect: 'declined.perimeter_release',
      },
      { name: 'no advertising', ...use, purpose: 'dpv:Advertising', expect: 'declined.purpose' },
      { name: 'no rows', ...use, mode: 'private', expect: 'admitted' },
    ]
    const site = { territory: 'IE', longitude: -7.9, latitude: 53.3 }
    await write('terms.test.yaml', { policy: 'terms.yaml', site, tests: tests.slice(0, 3) })
    const run = await typedHere(home, ['policy', 'test', join(policy, 'terms.test.yaml')])
    assert.equal(run.code, 0, run.error)
    assert.match(run.out, /✓ not in India: declined\.perimeter_release\n[^]*3 of 3 as expected\n$/)
    await write('terms.test.yaml', { policy: 'terms.yaml', site, tests })
    const failing = await typedHere(home, ['policy', 'test', join(policy, 'terms.test.yaml')])
    assert.equal(failing.code, 1)
    assert.match(failing.out, /✗ no rows: declined\.mode, expected admitted\n3 of 4 as expected\n$/)
  })
})
