import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, suite, test } from 'node:test'
import { readManifest } from '../../../src/cli/site/dataset.ts'
import { splitAthletes } from '../../../src/demo/split-athletes.ts'
import { askInStages } from '../../../src/sdk/stages/ask-in-stages.ts'
import { planStages } from '../../../src/sdk/stages/plan-stages.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import { fileBody, offered, testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { ROOT, blocksOf, textOf } from '../../docs/pages.ts'

/* The texts that docs/how-to/ask-so-that-you-are-answered.md says are answered in stages, over the athletes of the demonstration at one site. */

const [block] = blocksOf(textOf('docs/how-to/ask-so-that-you-are-answered.md')).filter(
  ({ info }) => info === 'sql',
)
const texts = (block?.text ?? '')
  .split(/^-- /m)
  .filter((part) => part !== '')
  .map((part) => {
    const [comment = '', ...lines] = part.split('\n')
    return { asks: Number.parseInt(comment, 10), sql: lines.join('\n').replace(/;\s*$/, '') }
  })

suite('the texts of the guide', () => {
  let trade: TestTrade

  before(async () => {
    trade = await testTrade()
    await fillAthletes(trade)
  })
  after(() => trade[Symbol.asyncDispose]())

  test('are there', () => {
    assert.equal(texts.length, 10)
  })

  for (const [index, { asks, sql }] of texts.entries())
    test(`are answered in as many asks as the guide says: ${sql}`, async () => {
      const asker = await trade.addAcquirer(`reader-${index}`, { depositMinor: 1_000_000 })
      const offers = await asker.acquirer.offers()
      const plan = await planStages(sql, offers)
      if (!plan.ok) assert.fail(plan.error.why)
      const { purpose, legalBasis, offer, releaseTo } = asker.request(sql)
      const terms = {
        purpose,
        legalBasis,
        mode: 'aggregate' as const,
        offer,
        releaseTo,
        answerWithinMs: 60_000,
      }
      const staged = await askInStages(terms, {
        plan: plan.value,
        acquirer: asker.acquirer,
        offers,
        clock: trade.clock,
      })
      if (!staged.ok) assert.fail(staged.error)
      const [site] = staged.value.sites
      assert.equal(site?.stopped, undefined)
      assert.equal(site?.asks.length, asks)
      const last = site.asks.at(-1)?.result?.sites[0]
      assert.ok((last?.release?.rows.length ?? 0) > 0, `${last?.reason} ${last?.decision?.detail}`)
    })
})

async function fillAthletes(trade: TestTrade): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/olympians.csv')
  const parts = Object.values(splitAthletes(await readFile(path, 'utf8'), '2026-11-24'))
  const [head = ''] = parts[0]?.csv.split('\n', 1) ?? []
  const lines = parts.flatMap(({ csv }) => csv.split('\n').slice(1, -1))
  const { issuer } = trade.site()
  const manifest = await readManifest(`${ROOT}/src/demo/manifests/athletes.yaml`)
  const anywhere = { within: ['EEA' as const] }
  await issuer.describe({
    ...manifest,
    dataSet: 'athletes',
    issuer: 'federation',
    // Of no special category here, so that no impact assessment is asked for.
    columns: manifest.columns.map((column) => ({
      ...column,
      sensitivity: column.sensitivity === 'special_category' ? 'ordinary' : column.sensitivity,
    })),
    perimeter: { store: anywhere, process: anywhere, release: anywhere },
  })
  const body = fileBody(`${head}\n${lines.join('\n')}\n`)
  await issuer.importFile({ dataSet: 'athletes', batch: 'athletes', format: 'csv', body })
  const athletes = parts.flatMap((part) => part.athletes)
  await issuer.giveGrants(athletes.map(({ key }) => testGrant('athletes', key, { modes: ['aggregate'] })))
  await offered(trade.network, { site: trade.site().name, dataSet: 'athletes' })
}
