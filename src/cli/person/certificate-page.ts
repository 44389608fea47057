import { escapeHtml } from '../../kernel/escape-html.ts'
import { actorWords, momentText } from '../../protocol/words/plain-words.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import type { Erasure } from '../../sdk/rights.ts'

/** A certificate as a page that prints on one sheet. It names nobody: whoever holds it knows whom it is about. */
export function certificatePage(erasure: Erasure): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Certificate', erasure.erasure],
    ['Site', erasure.site],
    ['Issuer', erasure.issuer],
    ['Ground', erasure.reason.replaceAll('_', ' ')],
    ['At the word of', requestedByWords(erasure.requestedBy)],
    ...(erasure.people === undefined ? [] : [['People', String(erasure.people)] as const]),
    ['Asked for', momentText(erasure.requestedAt)],
    ['Deleted', erasure.deletedAt === undefined ? 'not yet' : momentText(erasure.deletedAt)],
    [
      'In no file of the site',
      erasure.permanentAt === undefined
        ? `by ${momentText(erasure.permanentBy)}`
        : `since ${momentText(erasure.permanentAt)}`,
    ],
    ['Grade', erasure.grade],
    ['Receipts in the log of the site', erasure.receipts.join(', ')],
  ]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Certificate of erasure</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 44rem; margin: 2.5rem auto; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 1.5rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #ccc; overflow-wrap: break-word }
td:last-child { overflow-wrap: anywhere }
th { font-weight: 600 }
th[scope=col] { white-space: nowrap }
th[scope=row] { width: 40% }
@media print { body { margin: 0; max-width: none; font-size: 9.5pt; line-height: 1.35 } h1 { margin: 0 0 .3rem } h2 { margin: .9rem 0 .2rem } table { margin: .4rem 0 } th, td { padding-block: .2rem } h2 { break-after: avoid } tr { break-inside: avoid } }
</style>
<main>
<h1>Certificate of erasure</h1>
<p>Erasure under Article 17 of Regulation (EU) 2016/679. Each step is a signed receipt in the site’s public log; check one
with <code>hedgerow receipt verify</code>.</p>
${tableOf([], facts)}
<h2>What each store has reached</h2>
${tableOf(
  ['Store', 'Grade', 'How'],
  erasure.stores.map(({ store, grade, note }) => [STORE_WORDS.get(store) ?? store, grade, note]),
)}
<p><em>Inaccessible</em>: nobody can read it. <em>Deleted</em>: no query, export or operator finds it. <em>Permanent</em>: no
file of the store holds it.</p>
${recipientsOf(erasure)}<h2>What is kept, and why it leads to nobody</h2>
${tableOf(
  ['What', 'Why'],
  erasure.kept.map(({ what, why }) => [what, why]),
)}
</main>
</html>
`
}

/** What a store is, for a reader who has not seen the site. */
const STORE_WORDS: ReadonlyMap<string, string> = new Map([
  ['key', 'The key of the person, under which names and texts were sealed'],
  ['vault', 'The vault: the rows'],
  ['record', 'The record: permissions, requests, answers'],
  ['imports', 'Files that were being taken in'],
  ['memory', 'Memory'],
  ['backups', 'Backups'],
  ['network', 'The network: sealed answers on their way'],
])

/** The reader may be anybody: the person is not spoken to. */
function requestedByWords(by: string): string {
  return by === 'site' ? 'the site, because its retention had ended' : actorWords(by)
}

/** Who was given rows of the person, by name, and what they answered. */
function recipientsOf({ recipients }: Erasure): string {
  if (recipients.length === 0) return ''
  const rows = recipients.map(({ acquirer, purpose, dataSet, state, acknowledgedAt, outcome, ground }) => [
    acquirer,
    `${purposeLabel(purpose)}, ${dataSet}`,
    acknowledgedAt === undefined ? state : `${state} ${momentText(acknowledgedAt)}`,
    [outcome?.replaceAll('_', ' '), ground?.replaceAll('_', ' ')]
      .filter((text) => text !== undefined)
      .join(': '),
  ])
  return `<h2>Who was given rows, and was told</h2>
${tableOf(['Recipient', 'For what', 'Notice', 'What it did'], rows)}
`
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const top =
    head.length === 0
      ? ''
      : `<tr>${head.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join('')}</tr>\n`
  const body = rows.map(
    (row) => `<tr>${row.map((text, index) => cell(text, head.length === 0 && index === 0)).join('')}</tr>`,
  )
  return `<table>\n${top}${body.join('\n')}\n</table>`
}

function cell(text: string, isHead: boolean): string {
  return isHead ? `<th scope="row">${escapeHtml(text)}</th>` : `<td>${escapeHtml(text)}</td>`
}
