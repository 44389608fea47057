import { z } from 'zod'
import { parseWith } from '../../kernel/parse.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { grantRequestSchema } from './grant.ts'

const recordSchema = z.looseObject({
  '@type': z.literal('dpv:ConsentRecord', 'expected dpv:ConsentRecord'),
  'dct:identifier': z.string(),
  'dpv:hasConsentStatus': z
    .array(z.looseObject({ '@type': z.union([z.string(), z.array(z.string())]) }))
    .min(1),
  /** Left as it came, so that what is given to a site is what was written. */
  'hedgerow:terms': z
    .looseObject({}, 'expected the terms of a grant; a record without them says too little')
    .optional(),
})

const documentSchema = z.union([
  z.looseObject({ '@graph': z.array(recordSchema) }).transform(({ '@graph': records }) => records),
  z
    .looseObject({ 'dpv:hasRecordOfActivity': z.array(recordSchema) })
    .transform(({ 'dpv:hasRecordOfActivity': records }) => records),
])

/** What is in records of consent that a site can take in. */
export interface GrantsOfRecords {
  /** Wire forms of grants, of records whose consent was given and has not ended. */
  readonly grants: readonly z.input<typeof grantRequestSchema>[]
  /** Names of records that say something else: refused, withdrawn, expired, and so on. They authorise nothing. */
  readonly others: readonly string[]
}

/**
 * Reads consent records, or a receipt with them, as a site writes them. A record of somebody else is refused: the vocabulary
 * has no words for modes, grantee and price, and nothing is guessed that a person did not say.
 */
export function readConsentRecords(document: unknown): Result<GrantsOfRecords, string> {
  const parsed = parseWith(documentSchema, document)
  if (!parsed.ok) return err('expected consent records of TS 27560 as a site writes them')
  const grants: z.input<typeof grantRequestSchema>[] = []
  const others: string[] = []
  for (const record of parsed.value) {
    const last = record['dpv:hasConsentStatus'].at(-1)?.['@type']
    const types = last === undefined ? [] : [last].flat()
    if (!types.includes('dpv:ConsentGiven')) {
      others.push(record['dct:identifier'])
      continue
    }
    const terms = record['hedgerow:terms']
    const request = parseWith(grantRequestSchema, terms)
    if (!request.ok)
      return err(`the record "${record['dct:identifier']}" has no terms that a site could keep`)
    // It was just held against the schema, so it is what goes into it.
    grants.push(terms as z.input<typeof grantRequestSchema>)
  }
  return ok({ grants, others })
}
