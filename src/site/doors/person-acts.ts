import { formatInstant } from '../../kernel/clock.ts'
import type { BrokenAnswer } from '../../kernel/http/door.ts'
import { CSV_KINDS, csvWriter } from '../../protocol/rights/person-export-csv.ts'
import type {
  CsvPart,
  ExportFormat,
  accessViewSchema,
  carriedSchema,
  earningsViewSchema,
  objectionViewSchema,
  useViewSchema,
} from '../../protocol/http/person-api.ts'
import type { CarriedRecord, ExportRecord } from '../../protocol/rights/person-export.ts'
import type { ConsentRecordForm } from '../../protocol/http/consent-record-api.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import { objectTo, withdrawObjection } from '../consent/change-objections.ts'
import type { GrantsChanged } from '../consent/grant-calls.ts'
import { objectionsOf } from '../consent/objection-store.ts'
import type { StoredObjection } from '../consent/objection-store.ts'
import { personConsents } from '../rights/person-consents.ts'
import { carryRecords } from '../rights/carried-records.ts'
import { EXPORT_PAGE_POLICY, pageWriter } from '../rights/export-page.ts'
import { exportPerson } from '../rights/export-person.ts'
import { listAccesses } from '../rights/list-accesses.ts'
import { personUses, sumEarnings, useFacts } from '../rights/list-uses.ts'
import type { PersonUse } from '../rights/list-uses.ts'
import { noteAccess } from '../rights/note-access.ts'
import { knownPeople, unknownPerson } from '../rights/person-reading.ts'
import type { KnownPerson, PersonReading } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { pageOf } from './page-of.ts'
import { bodyOf, whileAllowed } from './text-stream.ts'
import type { Page, PageRequest } from './page-of.ts'
import type { z } from 'zod'

type UseView = z.input<typeof useViewSchema>
type AccessView = z.input<typeof accessViewSchema>
type ObjectionView = z.input<typeof objectionViewSchema>

/** What an export is to be like. */
export interface ExportRequest {
  readonly format: ExportFormat
  readonly part?: CsvPart | undefined
  readonly dataSet?: DataSetId | undefined
  readonly broken: BrokenAnswer
}

/** Acts about one person. Each read is noted, with its receipt, before anything is shown. */
export interface PersonActs {
  listUses(reading: PersonReading, page: PageRequest): Promise<Page<UseView>>
  earnings(reading: PersonReading): Promise<z.input<typeof earningsViewSchema>>
  listAccesses(reading: PersonReading, page: PageRequest): Promise<Page<AccessView>>
  exportPerson(reading: PersonReading, request: ExportRequest): Promise<Response>
  /** JSON-LD (ISO/IEC TS 27560). */
  personConsents(reading: PersonReading, form: ConsentRecordForm): Promise<Response>
  listObjections(reading: PersonReading): Promise<{ items: ObjectionView[] }>
  changeObjection(
    reading: PersonReading,
    objection: { purpose: string; dataSet?: DataSetId | undefined; isObjecting: boolean },
    change: ChangeFacts,
  ): Promise<GrantsChanged>
  carryHistory(
    reading: PersonReading,
    records: readonly CarriedRecord[],
  ): Promise<z.input<typeof carriedSchema>>
}

/** What the site has about one person, in the forms of the door. */
export function personActs(site: SiteContext): PersonActs {
  const begin = async (reading: PersonReading, what: string) => {
    const people = await knownPeople(site, reading)
    const receipt = await noteAccess(site, { people, reading, what })
    return { people, receipt }
  }
  return {
    ...gatheredLooks(site),
    async listAccesses(reading, { cursor, limit }) {
      const { people } = await begin(reading, 'accesses')
      const before = numberOf(cursor)
      const found = await listAccesses(site, { people, before, limit: limit + 1 })
      return pageOf(found, {
        limit,
        cursorOf: ({ id }) => String(id),
        viewOf: ({ id: _, time, ...view }) => ({ time: formatInstant(time), ...view }),
      })
    },
    async exportPerson(reading, request) {
      const people = await knownPeople(site, reading)
      const keys = await site.personKeys.keysOf(
        site.db,
        people.map(({ number }) => number),
      )
      const receipt = noteAccess(site, { people, reading, what: 'export', keys })
      const { part, dataSet } = request
      // Another form than a table says that it is all.
      const filter = request.format === 'csv' && part ? { kinds: [CSV_KINDS[part]], dataSet } : {}
      const records = exportPerson(site, { people, keys, madeFor: reading.by, receipt, filter })
      return exportResponse(records, { ...request, mayStill: reading.mayStill })
    },
    async personConsents(reading, form) {
      const document = await personConsents(site, reading, form)
      return new Response(JSON.stringify(document), { headers: { 'content-type': 'application/ld+json' } })
    },
    async changeObjection(reading, { isObjecting, purpose, dataSet }, change) {
      const known = await knownPeople(site, reading)
      const issuer = dataSet === undefined ? undefined : site.manifests().get(dataSet)?.issuer
      const about = known.filter((one) => dataSet === undefined || one.issuer === issuer)
      if (about.length === 0) throw unknownPerson()
      const objection = { people: about.map(({ number }) => number), purpose, dataSet }
      const act = isObjecting ? objectTo : withdrawObjection
      return act(site.consent, objection, change)
    },
    async carryHistory(reading, records) {
      const sums = { carried: 0, known: 0 }
      const [person] = await knownPeople(site, reading)
      if (!person) return sums
      return carryRecords(site, { person, records })
    },
  }
}

/** Looks at what one or two questions to the record give. */
function gatheredLooks(site: SiteContext): Pick<PersonActs, 'listUses' | 'earnings' | 'listObjections'> {
  // What is looked at is gathered while the look is noted, and is given out once it has been.
  const meanwhile = async <T>(
    reading: PersonReading,
    what: string,
    gather: (people: readonly KnownPerson[]) => Promise<T>,
  ): Promise<T> => {
    const people = await knownPeople(site, reading)
    const [found] = await Promise.all([gather(people), noteAccess(site, { people, reading, what })])
    return found
  }
  return {
    async listUses(reading, page) {
      return meanwhile(reading, 'uses', (people) => usePage(site, { people, page }))
    },
    async earnings(reading) {
      const { totals, items } = await meanwhile(reading, 'earnings', (people) => sumEarnings(site, people))
      return {
        totals: totals.map(wireMoney),
        items: items.map(({ earned, ...item }) => ({ ...item, earned: wireMoney(earned) })),
      }
    },
    async listObjections(reading) {
      return meanwhile(reading, 'objections', async (people) => {
        const found = await objectionsOf(
          site.db,
          people.map(({ number }) => number),
        )
        return { items: found.map((one) => objectionView(one, people)) }
      })
    },
  }
}

async function usePage(
  site: SiteContext,
  { people, page: { cursor, limit } }: { people: readonly KnownPerson[]; page: PageRequest },
): Promise<Page<UseView>> {
  const found: PersonUse[] = []
  const before = numberOf(cursor)
  const uses = personUses(site, { people, before: before === undefined ? undefined : BigInt(before) })
  for await (const use of uses) {
    found.push(use)
    if (found.length > limit) break
  }
  return pageOf(found, { limit, cursorOf: ({ use }) => String(use.id), viewOf: useFacts })
}

function objectionView(
  { person, purpose, dataSet, madeAt, withdrawnAt, receipt }: StoredObjection,
  people: readonly KnownPerson[],
): ObjectionView {
  return {
    purpose,
    ...(dataSet === undefined ? {} : { dataSet }),
    issuer: people.find(({ number }) => number === person)?.issuer ?? '',
    madeAt: formatInstant(madeAt),
    ...(withdrawnAt === undefined ? {} : { withdrawnAt: formatInstant(withdrawnAt) }),
    receipt,
  }
}

const MEDIA_TYPES = {
  jsonl: 'application/jsonl; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  html: 'text/html; charset=utf-8',
} as const

async function exportResponse(
  batches: AsyncGenerator<readonly ExportRecord[]>,
  { format, part, broken, mayStill }: ExportRequest & Pick<PersonReading, 'mayStill'>,
): Promise<Response> {
  // By pieces: each look is questions to vault and record, and most batches are one record.
  const texts = whileAllowed(textsOf(batches, writerOf(format, part)), mayStill)
  return new Response(await bodyOf(texts, broken), {
    headers: {
      'content-type': MEDIA_TYPES[format],
      'content-disposition': `attachment; filename="my-data.${format}"`,
      'content-security-policy': EXPORT_PAGE_POLICY,
    },
  })
}

type Writer = (records: readonly ExportRecord[] | 'end') => string

function writerOf(format: ExportFormat, part: CsvPart = 'rows'): Writer {
  if (format === 'html') return pageWriter()
  const write = format === 'csv' ? csvWriter(part) : jsonLines
  return (records) => (records === 'end' ? '' : write(records))
}

function jsonLines(records: readonly ExportRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

/** Pieces worth sending: each is a way to the network, and most batches are one record. */
const PIECE_LENGTH_MIN = 16_384

async function* textsOf(
  batches: AsyncIterable<readonly ExportRecord[]>,
  write: Writer,
): AsyncGenerator<string> {
  let piece = ''
  for await (const records of batches) {
    piece += write(records)
    if (piece.length < PIECE_LENGTH_MIN) continue
    yield piece
    piece = ''
  }
  yield piece + write('end')
}

function numberOf(cursor: string | undefined): number | undefined {
  return cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : undefined
}
