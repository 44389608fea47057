import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { MODES } from '../mode.ts'
import { dataSetIdSchema, instantSchema, memberIdSchema } from '../wire.ts'

/** The clauses of a question in which a column can stand. */
const USE_CLAUSES = ['select', 'where', 'join', 'group', 'filter', 'having', 'order'] as const

/** Which columns of a data set are used by whom, in which clause, for which purpose, and how often. */
export const columnUsesSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    columns: z.array(
      z.strictObject({
        column: z.string(),
        uses: z.array(
          z.strictObject({
            acquirer: memberIdSchema,
            purpose: z.string(),
            clause: z.enum(USE_CLAUSES),
            releases: z.int().min(1),
            firstAt: instantSchema,
            lastAt: instantSchema,
          }),
        ),
      }),
    ),
    /** Columns that a question may use and none ever did. */
    neverUsed: z.array(z.string()),
  })
  .openapi('ColumnUses')

/** A question, to see what the engine of the site would be given for it. */
export const explainRequestSchema = z
  .strictObject({
    sql: z.string('expected SQL'),
    parameters: z
      .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .max(100)
      .default([]),
    mode: z.enum(MODES),
  })
  .openapi('ExplainRequest')

/** Either the statements, or the decline that the gate gives. */
export const explanationSchema = z
  .strictObject({
    statements: z.array(
      z.strictObject({ what: z.string(), sql: z.string(), parameters: z.array(z.string()) }),
    ),
    decline: z
      .strictObject({
        reason: z.string(),
        detail: z.string(),
        /** Character of the text, from 1. */
        position: z.int().min(1).optional(),
      })
      .optional(),
  })
  .openapi('Explanation')

/** What issuers and the operator see of questions: the columns they use, and what the engine is given. */
export const QUESTION_API = {
  columnUses: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}/column-uses',
    tag: 'data sets',
    summary: 'Which columns are used by whom, in which clause, for which purpose, how often, and which never',
    description:
      'The operator, or the issuer of the data set. A filter or a join on a column is a use of it like an output. Releases are counted; dry runs and declines are not.',
    params: z.object({ dataSet: dataSetIdSchema }),
    response: columnUsesSchema,
  }),
  explainQuestion: endpoint({
    method: 'post',
    path: '/v1/explanations',
    tag: 'data sets',
    summary: 'What the engine of the site would be given for a question',
    description:
      'The operator alone. The statements are printed from the checked question; nothing is run and nobody is looked up.',
    body: explainRequestSchema,
    response: explanationSchema,
  }),
}
