import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { readManifest } from '../src/cli/site/dataset.ts'
import { grantsOf } from '../src/demo/generate-grants.ts'
import { splitAthletes } from '../src/demo/split-athletes.ts'
import type { Athlete } from '../src/demo/split-athletes.ts'
import type { WireGrant } from '../src/sdk/issuer.ts'
import { fileBody, offered, testTrade } from '../src/testing/test-trade.ts'
import type { TestTrade } from '../src/testing/test-trade.ts'
import { testGrant } from '../src/testing/test-population.ts'
import { HONEST_ASKS } from './shared/honest-asks.ts'
import { writeReport } from './shared/report.ts'
import type { Figure } from './shared/report.ts'

/**
 * How many of 200 honest questions are answered, over the 11,538 athletes of the demonstration at one site: each analyst
 * as an acquirer of its own, and all of them as one acquirer with one history. With as many refusals as a site lets be by
 * default, and with so many that none is for want of them. *Whole* are those that show everybody asked about but groups
 * that are too small. Once everybody grants everything, and once people grant what the demonstration's generator draws for
 * them: of ten people six all columns, one all but body measures and three nothing for this purpose.
 */
const DATA_SET = 'athletes'
const PURPOSE = 'dpv:ResearchAndDevelopment'

/** Refusals in a window: a site's default, and more than anybody meets. */
const LIMITS_OF_REFUSALS = [100, 10_000]

const GRANTS = ['all', 'mixed'] as const

const figures: Figure[] = []
for (const grants of GRANTS)
  for (const most of LIMITS_OF_REFUSALS) figures.push(...(await measure(most, grants)))
writeReport({ name: 'honest-asks', scale: 1, figures })

async function measure(most: number, grants: (typeof GRANTS)[number]): Promise<readonly Figure[]> {
  await using trade = await testTrade({ sites: [{ name: 'galway', settings: { refusals: { most } } }] })
  await fillAthletes(trade, grants)
  const alone = { answered: 0, whole: 0 }
  for (const [analyst, asks] of Object.entries(HONEST_ASKS)) {
    const told = await answersTo(trade, { name: analyst, asks })
    alone.answered += told.answered
    alone.whole += told.whole
  }
  const all = Object.values(HONEST_ASKS).flat()
  const together = await answersTo(trade, { name: 'everybody', asks: all })
  const under = `at most ${most.toLocaleString('en')} refusals${grants === 'mixed' ? ', mixed grants' : ''}`
  return [
    { name: `of ${all.length} by ten analysts, answered (${under})`, value: alone.answered, unit: 'asks' },
    { name: `of these, whole (${under})`, value: alone.whole, unit: 'asks' },
    { name: `of the same by one acquirer, answered (${under})`, value: together.answered, unit: 'asks' },
    { name: `of these, whole (${under})`, value: together.whole, unit: 'asks' },
  ]
}

async function answersTo(
  trade: TestTrade,
  { name, asks }: { readonly name: string; readonly asks: readonly string[] },
): Promise<{ readonly answered: number; readonly whole: number }> {
  const asker = await trade.addAcquirer(`analyst-${name}`, { depositMinor: 100_000_000 })
  const told = { answered: 0, whole: 0 }
  for (const text of asks) {
    const { sites, reason } = await asker.ask(text, { offer: DATA_SET, purpose: PURPOSE })
    const [site] = sites
    if (site?.release) told.answered += 1
    if (site?.release && site.reason === 'approved') told.whole += 1
    if (process.env['SHOW'] !== undefined)
      console.log(
        name,
        site?.reason ?? reason,
        site?.release?.rows.length ?? '',
        text,
        site?.decision?.detail ?? '',
      )
  }
  return told
}

async function fillAthletes(trade: TestTrade, grants: (typeof GRANTS)[number]): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/olympians.csv')
  const parts = Object.values(splitAthletes(await readFile(path, 'utf8'), '2026-11-24'))
  const [head = ''] = parts[0]?.csv.split('\n', 1) ?? []
  const lines = parts.flatMap(({ csv }) => csv.split('\n').slice(1, -1))
  const { issuer } = trade.site()
  const manifest = await readManifest(
    fileURLToPath(new URL('../src/demo/manifests/athletes.yaml', import.meta.url)),
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
  const athletes = parts.flatMap((part) => part.athletes)
  await issuer.giveGrants(
    grants === 'all'
      ? athletes.map(({ key }) => testGrant(DATA_SET, key, { modes: ['aggregate'] }))
      : athletes.flatMap(drawnGrants),
  )
  await offered(trade.network, { site: trade.site().name, dataSet: DATA_SET })
}

/** The grants of the demonstration, of those who need no guardian. */
function drawnGrants(athlete: Athlete): readonly WireGrant[] {
  const drawn = grantsOf(athlete, { dataSet: DATA_SET, siteCountry: 'IE', today: '2026-11-24' })
  return drawn.every(({ givenBy }) => givenBy === 'self') ? drawn : []
}
