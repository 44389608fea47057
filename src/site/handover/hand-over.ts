import { Bitset } from '../../kernel/bitset.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { consentDocument, consentReceipt } from '../../protocol/consent/consent-record.ts'
import type { HAND_OVER_PARTS } from '../../protocol/http/hand-over-api.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { listGrants } from '../consent/list-grants.ts'
import type { ListedGrant } from '../consent/list-grants.ts'
import { readReceivedForms } from '../datasets/import-store.ts'
import { namedPeople } from '../rights/named-people.ts'
import type { NamedPerson } from '../rights/named-people.ts'
import { noteAccess } from '../rights/note-access.ts'
import { openedRows } from '../rights/opened-rows.ts'
import { consentRecordsOf } from '../rights/person-consents.ts'
import type { Reader } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { handOverForm } from './hand-over-form.ts'
import type { HandedForm, HandOverFormat } from './hand-over-form.ts'
import { rowWriter } from './row-writer.ts'
import type { RowWriter } from './row-writer.ts'

/** What of a data set is handed over: its rows as they came, the grants in force on them, or what everybody ever decided about it. */
export type HandOverPart = (typeof HAND_OVER_PARTS)[number]

export interface HandOverRequest {
  readonly manifest: Manifest
  readonly part: HandOverPart
  /** Of rows; absent: as they were received. */
  readonly format?: HandOverFormat | undefined
  readonly reading: Reader
}

export interface HandedOver {
  readonly form: HandedForm
  /** Plain, whether the form is packed or not. */
  readonly texts: AsyncGenerator<string>
}

/**
 * Everything of a data set for the issuer that placed it here, in the forms in which a site takes it in: rows to import in the format in
 * which they were received or that is asked for, grants as NDJSON to give (GDPR Art. 28(3)(g); DGA Art. 12(d), (h)). That each
 * person's data was read is noted before it leaves, with a receipt, and the person sees it. Whoever was erased is not in it.
 *
 * @throws Fault as `handOverForm`, before anything is read
 */
export async function handOver(site: SiteContext, request: HandOverRequest): Promise<HandedOver> {
  const { manifest, part, format } = request
  const form: HandedForm =
    part === 'rows'
      ? handOverForm(await readReceivedForms(site.db, manifest.dataSet), format)
      : { format: 'ndjson', isPacked: false }
  return { form, texts: textsOf(site, request, rowWriter(manifest, form.format)) }
}

async function* textsOf(
  site: SiteContext,
  { manifest, part, reading }: HandOverRequest,
  writer: RowWriter,
): AsyncGenerator<string> {
  if (part === 'rows') yield writer.head
  const people = await site.vault.people(manifest.dataSet)
  for await (const portion of namedPeople(site, { manifest, people })) {
    if (portion.length === 0) continue
    const receipt = await noteAccess(site, { people: portion, reading, what: `hand-over of ${part}` })
    yield* linesOf(site, { part, manifest, portion, receipt, writer })
  }
  if (part === 'rows') yield* sharedRowsOf(site, { manifest, writer })
}

function linesOf(
  site: SiteContext,
  { part, receipt, ...portion }: WrittenPortion & { readonly part: HandOverPart; readonly receipt: number },
): AsyncGenerator<string> {
  switch (part) {
    case 'rows':
      return rowsOf(site, portion)
    case 'grants':
      return grantsOf(site, portion)
    case 'consents':
    case 'receipts':
      return consentsOf(site, { form: part, receipt, ...portion })
  }
}

/** People whose decisions are in memory at one time. */
const DECIDING_AT_ONCE = 100

/**
 * Each decision as a record, or each person's as a receipt (ISO/IEC TS 27560). A receipt is known by that of the look at the
 * person, which are numbered one after the other from `receipt` on.
 */
async function* consentsOf(
  site: SiteContext,
  {
    form,
    manifest,
    portion,
    receipt,
  }: Portion & { readonly form: 'consents' | 'receipts'; readonly receipt: number },
): AsyncGenerator<string> {
  const { site: name, custodian, clock } = site
  for (let start = 0; start < portion.length; start += DECIDING_AT_ONCE) {
    const people = portion.slice(start, start + DECIDING_AT_ONCE)
    const records = await consentRecordsOf(site, people, manifest.dataSet)
    for (const [index, { number }] of people.entries()) {
      const own = records.get(number) ?? []
      if (form === 'consents') yield own.map((record) => line(consentDocument(record))).join('')
      else if (own.length > 0) {
        const facts = { site: name, receipt: receipt + start + index, madeAt: formatInstant(clock.now()) }
        yield line(consentReceipt(own, { ...facts, custodian }))
      }
    }
  }
}

/** Rows about several people, after those of one; that each of them is handed over is noted by then. */
async function* sharedRowsOf(
  site: SiteContext,
  { manifest, writer }: Pick<WrittenPortion, 'manifest' | 'writer'>,
): AsyncGenerator<string> {
  const households = await site.vault.households()
  const shared = [...(await site.vault.numbers(manifest.dataSet))].filter((number) => households.has(number))
  for (let start = 0; start < shared.length; start += HOUSEHOLDS_AT_ONCE) {
    const numbers = shared.slice(start, start + HOUSEHOLDS_AT_ONCE)
    const people = households.peopleOf(Bitset.of(numbers))
    const portion: NamedPerson[] = []
    for await (const named of namedPeople(site, { manifest, people })) portion.push(...named)
    yield* rowsOf(site, { manifest, portion, numbers, writer })
  }
}

const HOUSEHOLDS_AT_ONCE = 500

interface Portion {
  readonly manifest: Manifest
  readonly portion: readonly NamedPerson[]
}

interface WrittenPortion extends Portion {
  readonly writer: RowWriter
  /** Whose rows; the people's own unless told. */
  readonly numbers?: readonly number[]
}

async function* rowsOf(
  site: SiteContext,
  { manifest, portion, numbers: wanted, writer }: WrittenPortion,
): AsyncGenerator<string> {
  const byNumber = new Map(portion.map((person) => [person.number, person]))
  const households = await site.vault.households()
  const rows = await site.vault.listRowsOf(manifest.dataSet, wanted ?? [...byNumber.keys()])
  const numbers = rows.column(0)
  const ownersAt = (row: number) =>
    households.placesOf(Number(numbers[row])).map((person) => {
      const owner = person === undefined ? undefined : byNumber.get(person)
      return owner && { key: owner.sealingKey, personKey: owner.key }
    })
  for await (const opened of openedRows(rows, { manifest, ownersAt })) {
    yield opened.map(({ values }) => writer.line(values)).join('')
  }
}

const GRANT_PAGE = 2_000

async function* grantsOf(site: SiteContext, { manifest, portion }: Portion): AsyncGenerator<string> {
  const byNumber = new Map(portion.map((person) => [person.number, person]))
  const { db, clock } = site
  const people = [...byNumber.keys()]
  for (let after = 0; ;) {
    const page = await listGrants(db, { after, limit: GRANT_PAGE, people, dataSets: [manifest.dataSet] })
    const now = clock.now()
    const inForce = page.filter(
      ({ revokedAt, validUntil }) =>
        revokedAt === undefined && (validUntil === undefined || validUntil > now),
    )
    yield inForce.map((grant) => line(grantRequest(grant, byNumber.get(grant.person)))).join('')
    after = page.at(-1)?.sequence ?? after
    if (page.length < GRANT_PAGE) return
  }
}

function grantRequest(
  { terms, validFrom, validUntil }: ListedGrant,
  person: NamedPerson | undefined,
): unknown {
  return {
    ...terms,
    person: person?.key,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
