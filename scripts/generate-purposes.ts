/**
 * Writes src/protocol/law/dpv-purposes.ts from the purposes module of the Data Privacy Vocabulary. Run it by hand when the
 * pinned version of the vocabulary changes: `node scripts/generate-purposes.ts`. The tables of the vocabulary lie
 * beside the checkout (`HEDGEROW_SHARED`, else ../shared); without them nothing is written and the exit code is 1.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '2.2'
const NAMESPACE = 'https://w3id.org/dpv#'

/** One purpose as it stands in the vocabulary: its label and the terms directly above it. */
export interface PurposeRow {
  readonly term: string
  readonly label: string
  readonly parents: readonly string[]
}

/** Rows of an RFC 4180 text as records by the names of its first line. */
export function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]]
  let field = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isQuoted) {
      if (character !== '"') field += character
      else if (text[at + 1] === '"') field += text[(at += 1)]
      else isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === ',' || character === '\n') {
      rows.at(-1)?.push(field)
      field = ''
      if (character === '\n') rows.push([])
    } else if (character !== '\r') field += character
  }
  if (field !== '') rows.at(-1)?.push(field)
  const [names = [], ...records] = rows
  return records
    .filter((record) => record.length === names.length)
    .map((record) => Object.fromEntries(names.map((name, index) => [name, record[index] ?? ''])))
}

/**
 * The purposes of the module. Its root, `Purpose`, is left out: consent to any purpose at all is not specific
 * (GDPR Art. 6(1)(a)), so the root is a purpose of nothing. Parents that are not purposes are left out too.
 */
export function purposesOf(csv: string): readonly PurposeRow[] {
  const records = parseCsv(csv).filter(({ dpvtype }) => dpvtype?.split(';').includes(`${NAMESPACE}Purpose`))
  const terms = new Set(records.map(({ term = '' }) => term))
  return records
    .map(({ term = '', label = '', hasbroader = '' }) => ({
      term,
      label,
      parents: hasbroader
        .split(';')
        .map((iri) => iri.replace(NAMESPACE, ''))
        .filter((parent) => terms.has(parent))
        .toSorted(),
    }))
    .toSorted((left, right) => (left.term < right.term ? -1 : 1))
}

/** The file that holds them. */
export function purposesFile(purposes: readonly PurposeRow[]): string {
  const rows = purposes.map(({ term, label, parents }) => {
    const list = parents.map((parent) => `'${parent}'`).join(', ')
    return `  ${term}: { label: '${label.replaceAll("'", "\\'")}', parents: [${list}] },`
  })
  return `${HEADER}${rows.join('\n')}\n}\n`
}

const HEADER = `// Written by scripts/generate-purposes.ts; a table, longer than other files. Do not edit.
//
// This document includes material copied from or derived from the Data Privacy Vocabulary (DPV) ${VERSION}, module
// "purposes", https://w3id.org/dpv/${VERSION}/dpv. Copyright (c) 2022-2025 World Wide Web Consortium and the
// contributors to the Data Privacy Vocabularies and Controls Community Group.
// https://www.w3.org/copyright/software-license-2023/
// Changes: only term, label and broader terms were taken; the root term and parents that are not purposes were left out.

/** The version of the vocabulary that the table was taken from; terms without a version always mean this one. */
export const DPV_VERSION = '${VERSION}'

/** A purpose of the vocabulary: its label and the terms directly above it (\`skos:broader\`), all without \`dpv:\`. */
export interface DpvPurpose {
  readonly label: string
  readonly parents: readonly string[]
}

/** The purposes of DPV ${VERSION} by term. */
export const DPV_PURPOSES: Readonly<Record<string, DpvPurpose>> = {
`

if (import.meta.main) {
  const shared = process.env.HEDGEROW_SHARED ?? fileURLToPath(new URL('../../shared', import.meta.url))
  const source = join(shared, 'standards', 'w3c-dpv', VERSION, 'dpv', 'modules', 'purposes.csv')
  if (existsSync(source)) {
    const purposes = purposesOf(readFileSync(source, 'utf8'))
    writeFileSync(new URL('../src/protocol/law/dpv-purposes.ts', import.meta.url), purposesFile(purposes))
    console.log(`${purposes.length} purposes of DPV ${VERSION} written`)
  } else {
    console.error('Cannot write the purposes: the tables of the vocabulary are not beside the checkout')
    process.exitCode = 1
  }
}
