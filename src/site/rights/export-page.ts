import { escapeHtml } from '../../kernel/escape-html.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import { memberName } from '../../protocol/words/plain-words.ts'
import { LOOKED_FOR, tableRowOf } from './export-rows.ts'
import type { TableRow } from './export-rows.ts'

/**
 * An export as a page to read and to print (GDPR Art. 12(1): concise, intelligible, in plain language), a piece at a
 * time; without records it gives the end. It holds no script and loads nothing.
 */
export function pageWriter(): (records: readonly ExportRecord[] | 'end') => string {
  let section: string | undefined
  const written = new Set<string>()
  // A grant’s least price is in the money of the data set’s tariff, which stands before it.
  const currencies = new Map<string, Currency>()
  // What members are called stands at the beginning.
  let names: ReadonlyMap<string, string> = new Map()
  const write = (record: ExportRecord): string => {
    if (record.kind === 'export') names = new Map(Object.entries(record.names ?? {}))
    if (record.kind === 'dataSet') currencies.set(record.dataSet, record.manifest.tariff.currency)
    const row = tableRowOf(record, { currencies, called: (id) => memberName(id, names.get(id)) })
    if (row.name === section) return linesOf(row)
    const before = section === undefined ? HEAD : END_OF_TABLE
    section = row.name
    written.add(row.name)
    const title = escapeHtml(row.title)
    const heads = row.isFacts ? '' : `<thead>${headsOf(row)}</thead>`
    // A wide table scrolls by itself, with the arrow keys too.
    return `${before}<h2>${title}</h2>\n<div class="scroll" role="region" aria-label="${title}" tabindex="0"><table${record.kind === 'row' ? ' class="row"' : ''}>${heads}<tbody>\n${linesOf(row)}`
  }
  return (records) => {
    if (records !== 'end') return records.map(write).join('')
    return `${section === undefined ? HEAD : END_OF_TABLE}${emptySections(written)}</main></body></html>\n`
  }
}

/** Only the end knows what never came. */
function emptySections(written: ReadonlySet<string>): string {
  return Object.entries(LOOKED_FOR)
    .filter(([name]) => !written.has(name))
    .map(([, { title, none }]) => `<h2>${escapeHtml(title)}</h2>\n<p>${escapeHtml(none)}</p>\n`)
    .join('')
}

const END_OF_TABLE = '</tbody></table></div>\n'

function headsOf({ head }: TableRow): string {
  return `<tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr>\n`
}

function linesOf({ head, cells, isFacts }: TableRow): string {
  if (!isFacts) return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>\n`
  return cells
    .map(
      (cell, index) =>
        `<tr><th scope="row">${escapeHtml(head[index] ?? '')}</th><td>${escapeHtml(cell)}</td></tr>\n`,
    )
    .join('')
}

const HEAD = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Your data</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1b1b1b }
h2 { font-size: 1.1rem; margin-top: 2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; overflow-wrap: break-word; max-width: 24rem }
th { font-weight: 600; color: #555; white-space: nowrap }
th[scope=row] { width: 12rem }
th[scope=row] + td { max-width: none }
@media (min-width: 64rem) { table:not(.row) td { min-width: 6.5em; overflow-wrap: anywhere } }
@media (max-width: 30rem) { th[scope=row] { width: 8rem; white-space: normal } }
@page { size: landscape }
@media print { body { font-size: 11px; margin: 0; padding: 0; max-width: none } .scroll { overflow: visible } th, td { white-space: normal; padding-right: .4rem; max-width: none; overflow-wrap: anywhere } table:not(.row) td { min-width: 7em } h2 { break-after: avoid } tr { break-inside: avoid } }
</style></head><body><main>
<h1>Your data</h1>
<p>All that this site has about you: what is stored, what is derived from it, what you allowed, who used it, and who looked at it.</p>
`

/** What a browser may do with the page: show it. */
export const EXPORT_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
