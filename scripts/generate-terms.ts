/**
 * Writes src/protocol/law/dpv-terms.ts from tables of the Data Privacy Vocabulary. Run it by hand when the pinned version of the
 * vocabulary changes: `node scripts/generate-terms.ts`. The tables lie beside the checkout (`HEDGEROW_SHARED`, else ../shared);
 * without them nothing is written and the exit code is 1.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCsv } from './generate-purposes.ts'

const VERSION = '2.2'

/** The terms that records of consent are written with, by table. */
export interface DpvTerms {
  readonly dataSubjects: readonly string[]
  readonly personalData: readonly string[]
  readonly locations: readonly string[]
}

/** Takes them from the folder of a version of the vocabulary. */
export function readTerms(folder: string): DpvTerms {
  const classesOf = (...path: readonly string[]) =>
    parseCsv(readFileSync(join(folder, ...path), 'utf8'))
      .filter(({ type }) => type === 'class')
      .map(({ term = '' }) => term)
      .toSorted()
  return {
    dataSubjects: classesOf('dpv', 'modules', 'entities_datasubject.csv'),
    personalData: classesOf('pd', 'pd.csv'),
    // Countries, and the unions that a perimeter may name.
    locations: classesOf('loc', 'loc.csv').filter((term) => /^([A-Z]{2}|EEA)$/.test(term)),
  }
}

/** The file that holds them. */
export function termsFile({ dataSubjects, personalData, locations }: DpvTerms): string {
  const set = (terms: readonly string[]) => `new Set(\n  '${terms.join(' ')}'.split(\n    ' ',\n  ),\n)`
  return `// Written by scripts/generate-terms.ts; tables on long lines. Do not edit.
//
// This document includes material copied from or derived from the Data Privacy Vocabulary (DPV) ${VERSION}, modules
// "entities_datasubject", "pd" and "loc", https://w3id.org/dpv/${VERSION}/dpv. Copyright (c) 2022-2025 World Wide Web Consortium
// and the contributors to the Data Privacy Vocabularies and Controls Community Group.
// https://www.w3.org/copyright/software-license-2023/
// Changes: only names of terms were taken; of locations only countries and two unions.

/** Categories of data subjects, without \`dpv:\`: what people are to whoever has their data. */
export const DATA_SUBJECTS: ReadonlySet<string> = ${set(dataSubjects)}

/** Categories of personal data, without \`pd:\`. */
export const PERSONAL_DATA: ReadonlySet<string> = ${set(personalData)}

/** Countries and unions, without \`loc:\`. */
export const LOCATIONS: ReadonlySet<string> = ${set(locations)}
`
}

/** Where the vocabulary's tables are, or undefined. */
export function vocabularyFolder(): string | undefined {
  const shared = process.env.HEDGEROW_SHARED ?? fileURLToPath(new URL('../../shared', import.meta.url))
  const folder = join(shared, 'standards', 'w3c-dpv', VERSION)
  return existsSync(folder) ? folder : undefined
}

if (import.meta.main) {
  const folder = vocabularyFolder()
  if (folder === undefined) {
    console.error('Cannot write the terms: the tables of the vocabulary are not beside the checkout')
    process.exitCode = 1
  } else {
    const target = fileURLToPath(new URL('../src/protocol/law/dpv-terms.ts', import.meta.url))
    writeFileSync(target, termsFile(readTerms(folder)))
  }
}
