import type { KeyObject } from 'node:crypto'
import { later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Random } from '../../kernel/random.ts'
import type { NoticeKind } from '../../protocol/rights/recipient-notice.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { rowsDisclosed } from '../asks/rows-recipients.ts'
import type { DisclosedRows } from '../asks/rows-recipients.ts'
import { sealPersonText } from '../vault/keys/person-text.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import type { Vault } from '../vault/vault.ts'
import { insertNotice } from './recipient-notice-store.ts'

/** What noting needs of a site. */
export interface NotingParts {
  readonly ids: IdSource
  readonly random: Random
  readonly log: Pick<ReceiptLog, 'issue'>
  readonly personKeys: Pick<PersonKeys, 'subjectOf'>
  readonly vault: Pick<Vault, 'households'>
  /** How long a recipient has before its answer is overdue. */
  readonly noticeDueMs: number
}

/** What happened to whom. */
export interface RecipientsEvent {
  readonly kind: NoticeKind
  /** The erasure, correction or restriction. */
  readonly cause: string
  readonly person: number
  readonly issuer: MemberId
  readonly now: Instant
  /** Of the lifting of a restriction. */
  readonly lifts?: Instant | undefined
  /** Of a correction: only whoever was given one of its columns is told. */
  readonly correction?:
    | {
        readonly dataSet: DataSetId
        readonly values: { readonly set: ColumnValues; readonly where: ColumnValues }
        readonly key: KeyObject
      }
    | undefined
}

/**
 * Notes, in the transaction that makes it true, whom an erasure, correction or restriction has to be told to: everybody
 * who was given rows of the person, once for each pseudonym under which they know them, because one notice over two of
 * them would tell that they are one person (GDPR Art. 17(2), 19). Gives the recipients by name.
 */
export async function noteRecipients(
  tx: DatabaseTransaction,
  parts: NotingParts,
  event: RecipientsEvent,
): Promise<readonly MemberId[]> {
  const { person } = event
  const numbers = (await parts.vault.households()).numbersOf(person)
  const disclosed = (await rowsDisclosed(tx, { person, numbers })).filter(
    (rows) => rows.isPushed && isAbout(rows, event),
  )
  return noteDisclosed(tx, parts, { event, disclosed })
}

/** The same about releases that are known already. */
export async function noteDisclosed(
  tx: DatabaseTransaction,
  parts: NotingParts,
  { event, disclosed }: { event: RecipientsEvent; disclosed: readonly DisclosedRows[] },
): Promise<readonly MemberId[]> {
  const byPseudonym = Map.groupBy(disclosed, ({ acquirer, purpose, offer, knownAs }) =>
    JSON.stringify([acquirer, purpose, offer, knownAs]),
  )
  for (const rows of byPseudonym.values()) {
    const [newest] = rows
    if (newest) await noteOne(tx, parts, { event, newest, rows })
  }
  return [...new Set(disclosed.map(({ acquirer }) => acquirer))].toSorted()
}

function isAbout({ dataSet, columns }: DisclosedRows, { correction }: RecipientsEvent): boolean {
  if (!correction) return true
  return dataSet === correction.dataSet && columns.some((column) => column in correction.values.set)
}

async function noteOne(
  tx: DatabaseTransaction,
  { ids, random, log, personKeys, noticeDueMs }: NotingParts,
  { event, newest, rows }: { event: RecipientsEvent; newest: DisclosedRows; rows: readonly DisclosedRows[] },
): Promise<void> {
  const { kind, cause, person, issuer, now, lifts, correction } = event
  const { acquirer, purpose, offer, releaseTo, knownAs } = newest
  const notice = ids.next('notice')
  const subjectOf = await personKeys.subjectOf(tx, { person, text: `notice ${notice}` })
  const [receipt] = await log.issue(tx, [
    {
      kind: 'notice',
      notice,
      acquirer,
      purpose,
      dataSet: offer,
      ...(subjectOf === undefined ? {} : { subjectOf }),
    },
  ])
  const releases = new Map(rows.map(({ askId, release }) => [askId, release]))
  const given = new Set(rows.flatMap(({ columns }) => columns))
  const columns = Object.keys(correction?.values.set ?? {}).filter((column) => given.has(column))
  await insertNotice(tx, {
    notice,
    kind,
    cause,
    person,
    knownAs,
    subjectOf,
    issuer,
    acquirer,
    purpose,
    dataSet: offer,
    releases: [...releases]
      .slice(0, LIMITS.noticeReleasesMax)
      .map(([ask, release]) => (release === undefined ? { ask } : { ask, release })),
    releaseTo,
    corrected: correction && { dataSet: correction.dataSet, columns },
    body:
      correction &&
      sealPersonText(JSON.stringify(correction.values), { key: correction.key, use: notice, random }),
    lifts,
    notedAt: now,
    dueAt: later(now, noticeDueMs),
    receipts: receipt ? [receipt.sequence] : [],
  })
}
