import type { z } from 'zod'
import { Fault } from '../kernel/faults.ts'
import { refusalOf } from '../kernel/http/call-json.ts'
import { parseJson } from '../kernel/parse-json.ts'
import { parseWith } from '../kernel/parse.ts'
import type { CsvForm } from '../protocol/csv-form.ts'
import type { manifestSchema } from '../protocol/data-set.ts'
import type { ReceiptBundle } from '../protocol/decision.ts'
import type { grantRequestSchema, grantTermsSchema } from '../protocol/consent/grant.ts'
import type { grantPreviewSchema } from '../protocol/http/person-api.ts'
import type { windDownSchema } from '../protocol/http/hand-over-api.ts'
import type { ReceiptKind } from '../protocol/proof/receipt.ts'
import { GRANTS_PER_REQUEST_MAX, SITE_API } from '../protocol/http/site-api.ts'
import { batchViewSchema } from '../protocol/http/data-set-api.ts'
import type {
  evidenceViewSchema,
  grantViewSchema,
  grantsChangedSchema,
  receiptListItemSchema,
  revocationRequestSchema,
} from '../protocol/http/site-api.ts'
import type {
  ImportFormat,
  dataSetViewSchema,
  describedViewSchema,
  rowsRequestSchema,
} from '../protocol/http/data-set-api.ts'
import type {
  columnUsesSchema,
  explainRequestSchema,
  explanationSchema,
} from '../protocol/http/question-api.ts'
import type { KeySet } from '../protocol/member.ts'
import { addressOf } from './address-of.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'

/** Wire forms of what is sent. */
export type WireManifest = z.input<typeof manifestSchema>
export type WireGrant = z.input<typeof grantRequestSchema>
/** Terms of a grant, for whom it may be. */
export type WireTerms = z.input<typeof grantTermsSchema>
export type GrantPreviewView = z.output<typeof grantPreviewSchema>
export type WireRevocation = z.input<typeof revocationRequestSchema>

/** What the site's door answers, parsed. */
export type DataSetView = z.output<typeof dataSetViewSchema>
export type DescribedView = z.output<typeof describedViewSchema>
export type BatchView = z.output<typeof batchViewSchema>
export type ColumnUses = z.output<typeof columnUsesSchema>
export type ExplainRequest = z.input<typeof explainRequestSchema>
export type Explanation = z.output<typeof explanationSchema>
export type GrantView = z.output<typeof grantViewSchema>
export type GrantsChanged = z.output<typeof grantsChangedSchema>
export type EvidenceView = z.output<typeof evidenceViewSchema>
export type ReceiptListItem = z.output<typeof receiptListItemSchema>

/** A file on its way in. `body` is read once, as it is sent. */
export interface FileToImport {
  readonly dataSet: string
  /** Absent: the site makes a name of the contents. */
  readonly batch?: string | undefined
  readonly format: ImportFormat
  /** How a CSV file is written, where that is not as RFC 4180 has it. */
  readonly form?: CsvForm | undefined
  readonly body: ReadableStream<Uint8Array>
  readonly signal?: AbortSignal | undefined
}

/** A few rows to import. */
export type RowsToImport = z.input<typeof rowsRequestSchema> & { readonly dataSet: string }

/** Whoever administers data at a site: its operator, or an issuer for its own data sets. */
export interface SiteAdministration {
  /** Which site this is, where, and whether it winds down. */
  site(): Promise<{
    readonly site: string
    readonly territory: string
    readonly windDown?: z.output<typeof windDownSchema> | undefined
  }>
  /** With the papers that it lacks. */
  describe(manifest: WireManifest): Promise<DescribedView>
  dataSets(): Promise<readonly DataSetView[]>
  retire(dataSet: string): Promise<DataSetView>
  importFile(file: FileToImport): Promise<BatchView>
  /** A few rows as one batch, by the names of the manifest’s columns. */
  importRows(rows: RowsToImport): Promise<BatchView>
  /** Which columns are used by whom, where in questions, for what and how often, and which never. */
  columnUses(dataSet: string): Promise<ColumnUses>
  /** What the engine of the site would be given for a question: for its operator. */
  explain(question: ExplainRequest): Promise<Explanation>
  batches(dataSet: string): Promise<readonly BatchView[]>
  giveGrants(grants: readonly WireGrant[], onProgress?: (done: number) => void): Promise<GrantsChanged>
  /** What a grant would allow, in plain words. */
  previewGrant(terms: WireTerms): Promise<GrantPreviewView>
  /** Notes that somebody was asked and refused. */
  refuseGrant(refusal: WireTerms & { person: string }): Promise<GrantsChanged>
  revokeGrants(revocations: readonly WireRevocation[]): Promise<GrantsChanged>
  grants(filter: {
    dataSet?: string | undefined
    person?: string | undefined
    limit: number
  }): Promise<readonly GrantView[]>
  evidence(): Promise<EvidenceView>
  giveEvidence(evidence: string): Promise<EvidenceView>
  receipts(filter: { kind?: ReceiptKind | undefined; limit: number }): Promise<readonly ReceiptListItem[]>
  receipt(sequence: number): Promise<ReceiptBundle>
  registerIssuer(issuer: { member: string; keys: KeySet }): Promise<void>
}

/** Grants in one request of this client: about a megabyte. */
const GRANTS_PER_REQUEST = Math.min(5_000, GRANTS_PER_REQUEST_MAX)

/** The calls of a site's door for those who administer data there. */
export function openSiteAdministration(client: HttpClient): SiteAdministration {
  return {
    site: () => client.call(SITE_API.site),
    describe: (manifest) => client.call(SITE_API.describeDataSet, { body: { manifest }, isRepeatable: true }),
    dataSets: () =>
      collectPages((cursor) => client.call(SITE_API.listDataSets, { query: { cursor, limit: 200 } })),
    retire: (dataSet) => client.call(SITE_API.retireDataSet, { params: { dataSet } }),
    importFile: (file) => sendFile(client, file),
    importRows: ({ dataSet, ...body }) =>
      client.call(SITE_API.importRows, { params: { dataSet }, body, isRepeatable: true }),
    columnUses: (dataSet) => client.call(SITE_API.columnUses, { params: { dataSet } }),
    explain: (question) => client.call(SITE_API.explainQuestion, { body: question, isRepeatable: true }),
    batches: (dataSet) =>
      collectPages((cursor) =>
        client.call(SITE_API.listBatches, { params: { dataSet }, query: { cursor, limit: 200 } }),
      ),
    giveGrants: (grants, onProgress) =>
      inParts(grants, onProgress, (part) =>
        client.call(SITE_API.giveGrants, {
          body: { grants: part },
          isRepeatable: true,
          // One alone adds nothing when it comes twice, and a key has its answer kept: two more statements.
          isKeyed: part.length > 1,
        }),
      ),
    previewGrant: (body) => client.call(SITE_API.previewGrant, { body, isRepeatable: true }),
    refuseGrant: (body) => client.call(SITE_API.refuseGrant, { body }),
    revokeGrants: (revocations) =>
      inParts(revocations, undefined, (part) =>
        client.call(SITE_API.revokeGrants, { body: { revocations: part }, isKeyed: true }),
      ),
    grants: ({ dataSet, person, limit }) =>
      collectPages(
        (cursor) =>
          client.call(SITE_API.listGrants, {
            query: { dataSet, person, cursor, limit: Math.min(limit, 200) },
          }),
        limit,
      ),
    evidence: () => client.call(SITE_API.evidence),
    giveEvidence: (evidence) =>
      client.call(SITE_API.giveEvidence, { body: { evidence }, isRepeatable: true }),
    receipts: ({ kind, limit }) =>
      collectPages(
        (cursor) =>
          client.call(SITE_API.listReceipts, { query: { kind, cursor, limit: Math.min(limit, 200) } }),
        limit,
      ),
    receipt: (sequence) => client.call(SITE_API.receipt, { params: { sequence } }),
    registerIssuer: async ({ member, keys }) => {
      await client.call(SITE_API.registerIssuer, { params: { member }, body: { keys } })
    },
  }
}

async function inParts<T>(
  all: readonly T[],
  onProgress: ((done: number) => void) | undefined,
  send: (part: T[]) => Promise<GrantsChanged>,
): Promise<GrantsChanged> {
  let sum: GrantsChanged = { changed: 0, unchanged: 0, sequence: 0 }
  for (let start = 0; start < all.length; start += GRANTS_PER_REQUEST) {
    const part = all.slice(start, start + GRANTS_PER_REQUEST)
    const { changed, unchanged, sequence, awaiting = 0 } = await send(part)
    const waiting = (sum.awaiting ?? 0) + awaiting
    sum = {
      changed: sum.changed + changed,
      unchanged: sum.unchanged + unchanged,
      sequence,
      ...(waiting > 0 ? { awaiting: waiting } : {}),
    }
    onProgress?.(start + part.length)
  }
  return sum
}

const MEDIA_TYPES = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
} as const

async function sendFile(
  { server, token, clock }: HttpClient,
  { dataSet, batch, format, form, body, signal }: FileToImport,
): Promise<BatchView> {
  const { path } = SITE_API.importBatch
  const url = new URL(
    addressOf(server.url, { path }, { params: { dataSet }, query: { batch, format, ...form } }),
  )
  const headers = { 'content-type': MEDIA_TYPES[format], authorization: `Bearer ${(await token()) ?? ''}` }
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    throw new Fault('fault.peer_unreachable', { what: `Cannot reach ${url.host}`, cause })
  })
  const text = await response.text().catch(() => '')
  if (!response.ok) throw refusalOf(response, { text, url: url.href, path, clock })
  const parsed = parseWith(batchViewSchema, parseJson(text))
  if (!parsed.ok) throw new Fault('fault.peer_refused', { what: `Cannot read the answer of ${url.host}` })
  return parsed.value
}
