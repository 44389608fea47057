import { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import { isCurrency } from '../../kernel/currency.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import type { Digest } from '../../kernel/digest.ts'
import { MadeLately } from '../../kernel/made-lately.ts'
import { addMoney, money } from '../../kernel/money.ts'
import type { Money } from '../../kernel/money.ts'
import { basisSource } from '../../protocol/law/basis-record.ts'
import type { BasisFacts, BasisNamed } from '../../protocol/law/basis-record.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import { dataSetIdSchema, memberIdSchema, wireMoney } from '../../protocol/wire.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { usesOf } from '../asks/use-history.ts'
import type { FoundUse } from '../asks/use-history.ts'
import { readBasesUncounted } from '../consent/basis-store.ts'
import { numbersGiven } from '../asks/rows-recipients.ts'
import { pseudonymOf } from '../guard/pseudonym.ts'
import type { PseudonymScope } from '../guard/pseudonym.ts'
import { readPartyNames } from '../officer/party-names.ts'
import type { PartyNames } from '../officer/party-names.ts'
import type { Households } from '../vault/households.ts'
import type { SiteContext } from '../site-context.ts'
import type { KnownPerson } from './person-reading.ts'

/** A use of one person's data as it is told to them. */
export interface PersonUse {
  readonly use: FoundUse
  /** What the acquirer calls itself, where that is known. */
  readonly acquirerName?: string | undefined
  /** The person's own share; absent where the money is of no known currency. */
  readonly earned?: Money | undefined
  /** Digest of the question as the site understood it, from the receipt. */
  readonly question?: Digest | undefined
  /** The name under which the acquirer has the person's rows; several with commas between, where it has some that are about others too. */
  readonly pseudonym?: string | undefined
  /** As the asker named it. */
  readonly legalBasis?: string | undefined
  /** What the basis of this data set rests on; nothing where it was the person's own grant. */
  readonly bases: readonly BasisNamed[]
  /** The text that stood of each data set of the question, the one asked for first. */
  readonly notices: readonly Digest[]
}

/** A use in its wire form, at the person's door and in their export. */
export function useFacts({
  use,
  acquirerName,
  earned,
  question,
  pseudonym,
  legalBasis,
  bases,
  notices,
}: PersonUse) {
  return {
    time: formatInstant(use.time),
    acquirer: use.acquirer,
    ...(acquirerName === undefined ? {} : { acquirerName }),
    purpose: use.purpose,
    mode: use.mode,
    dataSet: use.dataSet,
    columns: [...use.columns],
    reason: use.reason,
    ...(legalBasis === undefined ? {} : { legalBasis }),
    ...(bases.length === 0 ? {} : { bases: [...bases] }),
    ...(notices.length === 0 ? {} : { noticeVersions: [...notices] }),
    releaseTo: use.releaseTo,
    ask: use.askDigest,
    ...(question === undefined ? {} : { question }),
    ...(pseudonym === undefined ? {} : { pseudonym }),
    ...(earned === undefined ? {} : { earned: wireMoney(earned) }),
    receipt: use.receiptSequence,
  }
}

/** Every use of a person's data, newest first (GDPR Art. 15(1)(c): the actual recipients, CJEU C-154/21). */
export async function* personUses(
  { db, keys, useCache, vault }: Pick<SiteContext, 'db' | 'keys' | 'useCache' | 'vault'>,
  {
    people,
    before,
    isWhole,
  }: { people: readonly KnownPerson[]; before?: bigint | undefined; isWhole?: boolean },
): AsyncGenerator<PersonUse> {
  const known = new Map<string, BasisFacts>()
  // Read while the uses are; where there are none nobody looks at them.
  const beside = Promise.all([vault.households(), readPartyNames(db)])
  beside.catch(() => undefined)
  let told: Awaited<typeof beside> | undefined
  for await (const use of usesOf(db, {
    people: people.map(({ number }) => number),
    before,
    isWhole,
    cache: useCache,
  })) {
    const [households, names] = (told ??= await beside)
    const { receipt } = receipts.of(use.receiptJws)
    // Pseudonyms are of the data set that was asked for first, whatever else the question joins.
    const scope = {
      key: keys.pseudonym,
      acquirer: memberIdSchema.parse(use.acquirer),
      purpose: use.purpose,
      dataSet: dataSetIdSchema.parse(receipt?.dataSet ?? use.dataSet),
    }
    yield {
      use,
      acquirerName: names.get(use.acquirer),
      earned: earnedBy(use),
      question: receipt?.lineage,
      pseudonym: use.mode === 'rows' ? await pseudonymsOf(db, { use, households, scope }) : undefined,
      legalBasis: receipt?.legalBasis,
      notices: receipt?.noticeVersions ?? [],
      bases: await namedBases(db, { ids: receipt?.bases ?? [], dataSet: use.dataSet, known }),
    }
  }
}

/** The names under which an acquirer was given rows about the person: more than one where some are about others too. */
async function pseudonymsOf(
  db: SiteContext['db'],
  { use, households, scope }: { use: FoundUse; households: Households; scope: PseudonymScope },
): Promise<string> {
  const theirs = households.numbersOf(use.person)
  const given = await numbersGiven(db, { ask: use.askId, theirs })
  return given.map((number) => pseudonymOf(number, scope)).join(', ')
}

/** The records behind a use of one data set; each is read once. */
async function namedBases(
  db: SiteContext['db'],
  { ids, dataSet, known }: { ids: readonly string[]; dataSet: DataSetId; known: Map<string, BasisFacts> },
): Promise<readonly BasisNamed[]> {
  const missing = ids.filter((id) => !known.has(id))
  if (missing.length > 0)
    for (const { id, facts } of await readBasesUncounted(db, { ids: missing })) known.set(id, facts)
  return ids.flatMap((basis) => {
    const facts = known.get(basis)
    if (!facts?.dataSets.includes(dataSet)) return []
    return [{ basis, kind: facts.kind, reference: basisSource(facts) }]
  })
}

/** The person's own share is an equal part of the subjects' share, rounded down; what is left over stays in the pool. */
function earnedBy({ peopleCount, subjectsMinor, currency }: FoundUse): Money | undefined {
  if (!isCurrency(currency)) return undefined
  return money(subjectsMinor / BigInt(Math.max(1, peopleCount)), currency)
}

/** What is told of a use from its receipt, which is the site's own: the rest is not looked at. */
const toldOfReceipt = z.object(
  receiptSchema.pick({ dataSet: true, lineage: true, legalBasis: true, bases: true, noticeVersions: true })
    .shape,
)

/** Everybody's history is told by the same receipts, and reading one takes longer than all else of a use: 4 MB. */
const RECEIPTS_KEPT = 4_096
const receipts = new MadeLately((jws) => ({ receipt: receiptOf(jws) }), RECEIPTS_KEPT)

function receiptOf(jws: string): z.infer<typeof toldOfReceipt> | undefined {
  const payload: unknown = JSON.parse(peekJws(jws)?.payload ?? 'null')
  const receipt = toldOfReceipt.safeParse(payload)
  return receipt.success ? receipt.data : undefined
}

/** What one acquirer's uses of one data set for one purpose earned a person. */
export interface EarnedFrom {
  readonly acquirer: string
  readonly acquirerName?: string
  readonly dataSet: string
  readonly purpose: string
  readonly uses: number
  readonly earned: Money
}

/** Adds up what people earned, by acquirer, data set, purpose and currency, and for each currency. */
export async function sumEarnings(
  { db, useCache }: Pick<SiteContext, 'db' | 'useCache'>,
  people: readonly KnownPerson[],
): Promise<{ readonly totals: readonly Money[]; readonly items: readonly EarnedFrom[] }> {
  const beside = readPartyNames(db)
  beside.catch(() => undefined)
  let names: PartyNames | undefined
  const items = new Map<string, EarnedFrom>()
  const totals = new Map<string, Money>()
  // Not through personUses: what a use was about costs more to read than what it earned.
  const uses = usesOf(db, { people: people.map(({ number }) => number), isWhole: true, cache: useCache })
  for await (const use of uses) {
    names ??= await beside
    const earned = earnedBy(use)
    if (!earned) continue
    const { acquirer, dataSet, purpose } = use
    const name = JSON.stringify([acquirer, dataSet, purpose, earned.currency])
    const known = items.get(name)
    const acquirerName = names.get(acquirer)
    items.set(name, {
      acquirer,
      ...(acquirerName === undefined ? {} : { acquirerName }),
      dataSet,
      purpose,
      uses: (known?.uses ?? 0) + 1,
      earned: addMoney(known?.earned ?? money(0n, earned.currency), earned),
    })
    totals.set(earned.currency, addMoney(totals.get(earned.currency) ?? money(0n, earned.currency), earned))
  }
  return { totals: [...totals.values()], items: [...items.values()] }
}
