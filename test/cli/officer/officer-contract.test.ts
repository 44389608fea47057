import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { testManifest, testProcessing } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { ROOT } from '../../docs/pages.ts'
import { typedHere } from '../typed-here.ts'

/** The files that a guide shows, by name. */
async function shownFiles(guide: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(ROOT, 'docs', 'how-to', guide), 'utf8')
  const blocks = text.matchAll(/```yaml\n# ([a-z-]+\.yaml)\n([\s\S]*?)```/g)
  return new Map([...blocks].map(([, name = '', body = '']) => [name, body]))
}

suite('the verbs of contracts and authorities', () => {
  let home: string
  let trade: TestTrade
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-contract-'))
    const root = join(home, 'sites', 'galway')
    trade = await testTrade({ sites: [{ name: 'galway', root, hasContract: false }] })
    await trade.site().issuer.describe(testManifest('athletes'))
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['officer', ...args, '--url', trade.site().url])
  const fileOf = async (guide: string, name: string) => {
    const path = join(home, name)
    const shown = (await shownFiles(guide)).get(name) ?? assert.fail(`${guide} shows no ${name}`)
    // The guide is written for the issuer of the demonstration.
    await writeFile(path, shown.replaceAll('world-sport', 'federation'))
    return path
  }

  test('whoever describes a data set hears at once what it lacks, with the command that brings it', async () => {
    const [first, ...columns] = testManifest('lacking').columns
    const manifest = testManifest('lacking', {
      purposes: ['dpv:AcademicResearch', 'dpv:HumanResourceManagement'],
      legalBasis: 'eu-gdpr:A6-1-f',
      columns: [
        ...(first ? [first] : []),
        ...columns,
        { name: 'bmi', type: 'number', sensitivity: 'special_category' },
      ],
      specialCategoryBasis: 'eu-gdpr:A9-2-j',
    })
    const file = join(home, 'lacking.yaml')
    await writeFile(file, JSON.stringify(manifest))
    const describe = ['dataset', 'describe', file, '--url', trade.site().url]
    const { code, out } = await typedHere(home, describe)
    assert.equal(code, 0)
    const told = out.replaceAll(/\s+/g, ' ')
    assert.match(
      told,
      /lacking is described at galway: People of a test Missing: no contract with "federation" is in force that covers "lacking"/,
    )
    assert.match(told, /hedgerow officer contract record --file CONTRACT\.yaml --site galway --as federation/)
    assert.match(
      told,
      /Missing: "lacking" has no assessment in force for Human Resource Management: .* hedgerow officer assessment attach --file DPIA\.yaml --site galway/,
    )
    assert.match(
      told,
      /Missing: no record of the kind "legitimate interest" is in force that carries "lacking" for Academic Research, Human Resource Management: every use is declined Attach .* "hedgerow officer assessment attach --file LIA\.yaml --site galway", then .*: hedgerow officer basis record --file BASIS\.yaml --site galway/,
    )
    assert.match(
      told,
      /Missing: no record of the kind "permit" .* every use of special categories is declined Record what it rests on: hedgerow officer basis record/,
    )
    assert.match(
      told,
      /Later: with more people it needs an assessment for Academic Research too: special categories of 5,000 people or more/,
    )
    const { lacks } = JSON.parse((await typedHere(home, [...describe, '--json'])).out) as {
      lacks: Record<string, readonly Record<string, unknown>[]>
    }
    assert.deepEqual(
      [lacks['contracts'], lacks['assessments'], lacks['bases'], lacks['laterAssessments']].map((some) =>
        some?.map(({ needs, purpose }) => needs ?? purpose),
      ),
      [
        ['contract'],
        ['dpv:HumanResourceManagement'],
        ['legitimate_interest', 'permit', 'legitimate_interest', 'permit'],
        ['dpv:AcademicResearch'],
      ],
    )
    await trade.site().issuer.retire('lacking')
  })

  test('a contract is missing with exit code 1, recorded from the guide’s file, listed, ended, and then due', async () => {
    const missing = await typed('contract', 'list')
    assert.equal(missing.code, 1)
    assert.match(missing.out, /Missing: a contract with federation for athletes/)
    const record = 'hedgerow officer contract record --file CONTRACT.yaml --site galway --as federation'
    const examined = await typedHere(home, ['site', 'doctor', '--url', trade.site().url])
    assert.equal(examined.code, 1)
    assert.match(
      examined.out,
      /✗ contracts: no contract with "federation" is in force that covers "athletes"/,
    )
    assert.ok(examined.out.includes(record), examined.out)
    const { out } = await typedHere(home, ['status'])
    assert.ok(out.includes(`Next, for galway:  ${record}\n`), out)
    const file = await fileOf('process-under-a-contract.md', 'contract.yaml')
    const recorded = await typed('contract', 'record', '--file', file, '--json')
    assert.equal(recorded.code, 0, recorded.error)
    const { contract } = JSON.parse(recorded.out) as { contract: string }
    const alone = await typed('contract', 'list')
    assert.equal(alone.code, 1)
    assert.match(alone.out, new RegExp(`Missing: that federation confirms ${contract} for athletes`))
    const controller = openOfficer(
      trade.site().client({ issuer: 'federation', key: trade.federation.signing }),
    )
    await controller.confirmContract(contract)
    assert.equal((await typed('contract', 'confirm', contract)).code, 1, 'it takes the other party')
    const joint = await fileOf('process-under-a-contract.md', 'arrangement.yaml')
    assert.equal((await typed('contract', 'record', '--file', joint)).code, 0)
    for (const { contract: id, confirmedAt } of (await controller.contracts()).items)
      if (confirmedAt === undefined) await controller.confirmContract(id)
    const listed = await typed('contract', 'list')
    assert.equal(listed.code, 0)
    assert.match(listed.out, /DPA 2026-014/)
    assert.equal((await typed('contract', 'end', contract)).code, 2, 'a reason is asked for')
    assert.equal((await typed('contract', 'end', contract, '--reason', 'notice')).code, 0)
    assert.equal((await typed('contract', 'list')).code, 0, 'the arrangement is in force')
    const items = JSON.parse((await typed('contract', 'list', '--json')).out) as {
      items: { contract: string; reference: string }[]
    }
    const other = items.items.find(({ reference }) => reference.startsWith('Arrangement'))
    assert.equal((await typed('contract', 'end', other?.contract ?? '', '--reason', 'over')).code, 0)
    const due = await typed('contract', 'list')
    assert.equal(due.code, 1)
    assert.match(
      due.out,
      /Due: give athletes back to federation \(rows, grants, consents, receipts\) and retire it/,
    )
    assert.notEqual((await typed('contract', 'end', 'contract_none', '--reason', 'x')).code, 0)
  })

  test('a sub-processor is announced from the guide’s file, waits with exit code 1, and is withdrawn', async () => {
    const controller = openOfficer(
      trade.site().client({ issuer: 'federation', key: trade.federation.signing }),
    )
    const { contract } = await controller.recordContract(testProcessing('federation', { reference: 'Next' }))
    assert.match((await typed('sub-processor', 'list')).out, /No other processor was announced/)
    const file = await fileOf('process-under-a-contract.md', 'sub-processor.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('contract_01J…', contract).replace('2026-09-01', '2099-09-01'))
    const undated = join(home, 'undated.yaml')
    await writeFile(undated, (await readFile(file, 'utf8')).replace(/^from:.*\n/m, ''))
    const refused = await typed('sub-processor', 'announce', '--file', undated)
    assert.equal(refused.code, 2)
    assert.match(refused.error, /from: expected a date such as 2026-01-31\n$/)
    const announced = await typed('sub-processor', 'announce', '--file', file, '--json')
    assert.equal(announced.code, 0, announced.error)
    const { change } = JSON.parse(announced.out) as { change: string }
    const waiting = await typed('sub-processor', 'list')
    assert.equal(waiting.code, 1)
    assert.match(waiting.out, /Cold Aisle AG .* asked/)
    assert.notEqual(
      (await typed('sub-processor', 'approve', change)).code,
      0,
      'the operator does not approve',
    )
    assert.equal((await typed('sub-processor', 'withdraw', change)).code, 2, 'a reason is asked for')
    const withdrawn = await typed('sub-processor', 'withdraw', change, '--reason', 'another firm')
    assert.equal(withdrawn.code, 0, withdrawn.error)
    assert.equal((await typed('sub-processor', 'list')).code, 0)
  })

  test('a request of an authority is recorded and decided from the guide’s files, and overdue with exit code 1', async () => {
    assert.match((await typed('authority', 'list')).out, /No authority has asked for anything/)
    const file = await fileOf('answer-authorities-of-third-countries.md', 'request.yaml')
    const recorded = await typed('authority', 'record', '--file', file, '--json')
    assert.equal(recorded.code, 0, recorded.error)
    const { request } = JSON.parse(recorded.out) as { request: string }
    // The day that the letter of the guide sets has passed.
    const overdue = await typed('authority', 'list')
    assert.equal(overdue.code, 1)
    assert.match(overdue.out, /26-mc-114/)
    const decision = await fileOf('answer-authorities-of-third-countries.md', 'decision.yaml')
    const decided = await typed('authority', 'decide', request, '--file', decision)
    assert.equal(decided.code, 0, decided.error)
    assert.match(decided.out, / is refused/)
    assert.equal((await typed('authority', 'list')).code, 0)
    assert.equal(
      (await typed('authority', 'decide', request, '--file', decision)).code,
      1,
      'it is decided once',
    )
  })
})
