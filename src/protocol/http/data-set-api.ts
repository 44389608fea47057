import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { csvFormProblems, csvFormShape, saidForm } from '../csv-form.ts'
import { manifestSchema } from '../data-set.ts'
import { missingContractSchema } from '../law/processing-contract.ts'
import { columnValuesSchema } from '../rights/restriction.ts'
import { dataSetIdSchema, digestSchema, instantSchema, memberIdSchema } from '../wire.ts'
import { missingBasisSchema } from './basis-api.ts'
import { lackingAssessmentSchema } from './officer-api.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'

/** More are sent as a file. */
const ROWS_PER_REQUEST_MAX = 500

export const dataSetViewSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    title: z.string(),
    issuer: memberIdSchema,
    state: z.enum(['active', 'retired']),
    rows: z.int().min(0),
    people: z.int().min(0),
    batches: z.int().min(0),
    manifestDigest: digestSchema,
    /** Whether the place of the site, as attested now, is in the perimeters. */
    mayBeStored: z.boolean(),
    mayBeProcessed: z.boolean(),
    describedAt: instantSchema,
  })
  .openapi('DataSet')

/** A data set as it was described, with the papers without which its asks are declined. */
export const describedViewSchema = dataSetViewSchema
  .extend({
    lacks: z.strictObject({
      contracts: z.array(missingContractSchema),
      assessments: z.array(lackingAssessmentSchema),
      /** Records of what its legal bases rest on; none where they are consent, which each person's grant is. */
      bases: z.array(missingBasisSchema),
      /** Those that are needed as soon as special categories are used on a large scale. */
      laterAssessments: z.array(lackingAssessmentSchema),
    }),
  })
  .openapi('DescribedDataSet')

/** The name of a batch: what makes an import idempotent. */
const batchIdSchema = z
  .string('expected the name of a batch')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/,
    'expected 1 to 200 letters, digits, dots, colons, underscores and hyphens',
  )

export const IMPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

export const batchViewSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    batch: batchIdSchema,
    rows: z.int().min(0),
    /** People who were not at the site before this batch. */
    newPeople: z.int().min(0),
    importedAt: instantSchema,
    /** Of the data set after a file, and after rows within a minute: how many rows are past the most of a person (`person.rowsMax`) and not counted, of how many people; both in steps, 0 for fewer than 20. Absent where every row counts. */
    uncounted: z.strictObject({ rows: z.int().min(0), people: z.int().min(0) }).optional(),
    /** Whether this request took it; false: it was there already. */
    isNew: z.boolean(),
  })
  .openapi('Batch')

/** `POST /v1/datasets/{dataSet}/batches`: beside the file. */
const importQuerySchema = z
  .object({
    /** Absent: the site makes a name of the contents, so that the same file is taken once. */
    batch: batchIdSchema.optional(),
    format: z.enum(IMPORT_FORMATS, `expected one of ${IMPORT_FORMATS.join(', ')}`),
    ...csvFormShape,
  })
  .superRefine(({ batch: _, format, ...form }, context) => {
    for (const problem of csvFormProblems(form)) context.addIssue({ code: 'custom', ...problem })
    const said = Object.keys(saidForm(form) ?? {})
    if (format === 'csv') return
    for (const name of said)
      context.addIssue({
        code: 'custom',
        message: 'expected only of CSV; this format says it itself',
        path: [name],
      })
  })

/** `POST /v1/datasets/{dataSet}/rows`. */
export const rowsRequestSchema = z
  .strictObject({
    batch: batchIdSchema,
    rows: z
      .array(columnValuesSchema)
      .min(1, 'expected at least one row')
      .max(ROWS_PER_REQUEST_MAX, `expected at most ${ROWS_PER_REQUEST_MAX} rows; more are a file`),
  })
  .openapi('RowsRequest')

const dataSetParams = z.object({ dataSet: dataSetIdSchema })
const manifestBody = z.strictObject({ manifest: manifestSchema }).openapi('DescribeDataSet')

/** What is done with data sets and their rows, in the door of a site. */
export const DATA_SET_API = {
  listDataSets: endpoint({
    method: 'get',
    path: '/v1/datasets',
    tag: 'data sets',
    summary: 'Data sets at this site',
    description: 'The operator sees all, an issuer its own.',
    query: pageQuerySchema,
    response: z
      .strictObject({ items: z.array(dataSetViewSchema), nextCursor: nextCursorSchema })
      .openapi('DataSets'),
  }),
  describeDataSet: endpoint({
    method: 'post',
    path: '/v1/datasets',
    tag: 'data sets',
    summary: 'Describe a data set by its manifest, or change the terms of one',
    description:
      'The operator, or the issuer that the manifest names. The same manifest again changes nothing. The answer says which contracts, assessments and records of legal bases are lacking, without which asks are declined.',
    body: manifestBody,
    response: describedViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  dataSet: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}',
    tag: 'data sets',
    summary: 'One data set with its manifest',
    params: dataSetParams,
    response: z
      .strictObject({ ...dataSetViewSchema.shape, manifest: manifestSchema })
      .openapi('DataSetWithManifest'),
  }),
  retireDataSet: endpoint({
    method: 'delete',
    path: '/v1/datasets/{dataSet}',
    tag: 'data sets',
    summary: 'Retire a data set: it is offered and asked no more, and its rows are removed',
    params: dataSetParams,
    response: dataSetViewSchema,
  }),
  importBatch: endpoint({
    method: 'post',
    path: '/v1/datasets/{dataSet}/batches',
    tag: 'data sets',
    summary: 'Import a file as one batch, whole or not at all',
    description:
      'The body is the file, plain or gzip. The same batch again changes nothing. Lines that are not what the manifest says are named, and nothing is taken.',
    params: dataSetParams,
    query: importQuerySchema,
    stream: ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet', 'application/gzip'],
    response: batchViewSchema,
    status: 201,
  }),
  importRows: endpoint({
    method: 'post',
    path: '/v1/datasets/{dataSet}/rows',
    tag: 'data sets',
    summary: 'Import a few rows as one batch, whole or not at all',
    description:
      'For records as they come to be, one or some: values by the names of the manifest’s columns. The same batch again changes nothing. Rows that are not what the manifest says are named, and nothing is taken.',
    params: dataSetParams,
    body: rowsRequestSchema,
    response: batchViewSchema,
    status: 201,
  }),
  listBatches: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}/batches',
    tag: 'data sets',
    summary: 'Batches of a data set, oldest first',
    params: dataSetParams,
    query: pageQuerySchema,
    response: z
      .strictObject({ items: z.array(batchViewSchema), nextCursor: nextCursorSchema })
      .openapi('Batches'),
  }),
} as const
