import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { readManifest } from '../src/cli/dataset.ts'
import { splitAthletes } from '../src/demo/split-athletes.ts'
import { fileBody, offered, testTrade } from '../src/testing/test-trade.ts'
import { testGrant } from '../src/testing/test-population.ts'
import { HONEST_ASKS } from './shared/honest-asks.ts'
import { writeReport } from './shared/report.ts'

/**
 * How many of 200 honest questions are answered, over the 11,538 athletes of the demonstration at one site, everybody
 * granting everything: each analyst for himself, and all of them as one acquirer with one history.
 */
const DATA_SET = 'athletes'
const PURPOSE = 'dpv:ResearchAndDevelopment'

await using trade = await testTrade({
  sites: [{ name: 'galway', settings: { refusals: { most: 10_000 } } }],
})
await fillAthletes()

const alone = { answered: 0 }
for (const [analyst, asks] of Object.entries(HONEST_ASKS)) {
  const told = await answersTo(analyst, asks)
  alone.answered += told.answered
}
const all = Object.values(HONEST_ASKS).flat()
const together = await answersTo('everybody', all)
writeReport({
  name: 'honest-asks',
  scale: 1,
  figures: [
    { name: `of ${all.length} asks by ten analysts, answered`, value: alone.answered, unit: 'asks' },
    { name: `of the same by one acquirer, answered`, value: together.answered, unit: 'asks' },
  ],
})

async function answersTo(name: string, asks: readonly string[]): Promise<{ readonly answered: number }> {
  const asker = await trade.addAcquirer(`analyst-${name}`, { depositMinor: 100_000_000 })
  let answered = 0
  for (const text of asks) {
    const { sites, reason } = await asker.ask(text, { offer: DATA_SET, purpose: PURPOSE })
    const [site] = sites
    if (site?.release) answered += 1
    if (process.env['SHOW'] !== undefined)
      console.log(
        name,
        site?.reason ?? reason,
        site?.release?.rows.length ?? '',
        text,
        site?.decision?.detail ?? '',
      )
  }
  return { answered }
}

async function fillAthletes(): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/olympians.csv')
  const parts = Object.values(splitAthletes(await readFile(path, 'utf8'), '2026-11-24'))
  const [head = ''] = parts[0]?.csv.split('\n', 1) ?? []
  const lines = parts.flatMap(({ csv }) => csv.split('\n').slice(1, -1))
  const { issuer } = trade.site()
  const manifest = await readManifest(
    new URL('../src/demo/manifests/athletes.yaml', import.meta.url).pathname,
  )
  const anywhere = { within: ['EEA' as const] }
  await issuer.describe({
    ...manifest,
    dataSet: DATA_SET,
    issuer: 'federation',
    // Of no special category here, so that the minimum group is 20 throughout and no impact assessment is asked for.
    columns: manifest.columns.map((column) => ({
      ...column,
      sensitivity: column.sensitivity === 'special_category' ? 'ordinary' : column.sensitivity,
    })),
    perimeter: { store: anywhere, process: anywhere, release: anywhere },
  })
  await issuer.importFile({
    dataSet: DATA_SET,
    batch: 'athletes',
    format: 'csv',
    body: fileBody(`${head}\n${lines.join('\n')}\n`),
  })
  const keys = parts.flatMap(({ athletes }) => athletes.map(({ key }) => key))
  await issuer.giveGrants(keys.map((key) => testGrant(DATA_SET, key, { modes: ['aggregate'] })))
  await offered(trade.network, { site: trade.site().name, dataSet: DATA_SET })
}
