import type { Bitset } from '../../kernel/bitset.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { ok } from '../../kernel/result.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { AccountTurns } from './account-turns.ts'
import type { AccountUse, JoinedAccounts } from './account-turns.ts'
import { appendSpend, joinAccounts, loadLosses, readAccount, spendFromAccount } from './privacy-spends.ts'
import type { PeopleLosses } from './people-losses.ts'
import { isWithin, limitOf } from './privacy-loss.ts'
import type { LossLimit, PrivacyBudget, PrivacyLoss } from './privacy-loss.ts'

/** What each person may lose in a calendar year (UTC): to one acquirer, and to all of them together. */
export interface PersonBudgets {
  readonly personAndAcquirer: PrivacyBudget
  readonly person: PrivacyBudget
}

/** An answer that is about to be made. */
export interface SpendRequest {
  /** The acquirer, or the name of the group that it is declared to collude with. */
  readonly acquirer: string
  /** Every data set that it is made from, with what an acquirer may learn of it in a year. */
  readonly dataSets: readonly { readonly dataSet: string; readonly budget: PrivacyBudget }[]
  /** Everybody who may be used: they lose alike, whether or not a condition of the question leaves them out. */
  readonly people: Bitset
  readonly loss: PrivacyLoss
  /** Fewer people than this are nobody. */
  readonly minimumGroup: number
  readonly now: Instant
}

/** A loss that is set aside until the answer is committed; disposed of without that, it is given back. */
export interface SetAside extends Disposable {
  /** Those who still had budget. Who has none is left out, which depends on earlier asks and grants, never on values. */
  readonly people: Bitset
  /** Writes the loss in the transaction of the answer. From here on it counts, come what may. */
  commit(tx: DatabaseTransaction, ask: string): Promise<void>
}

/** The site's account of privacy. One process keeps it; what it holds in memory is what the record says, plus what is set aside. */
export interface PrivacyLedger {
  /** Declines with `declined.privacy_budget` when the acquirer's budget for a data set, or that of nearly everybody, is used up. */
  setAside(request: SpendRequest): Promise<Outcome<SetAside>>
  /**
   * Makes one account of several, for acquirers who put their answers together: what all of them have lost is lost to the
   * first. `act` makes it true in one transaction, and hands that to `joinAccounts`. Whoever sets something aside for one of
   * them waits meanwhile, and `act` waits for what is set aside.
   */
  join(
    accounts: JoinedAccounts,
    act: (joinAccounts: (tx: DatabaseTransaction) => Promise<void>) => Promise<void>,
  ): Promise<void>
}

/** Acquirers whose people's losses are kept in memory. */
const ACQUIRERS_KEPT = 8

export function openPrivacyLedger({ db, budgets }: { db: Database; budgets: PersonBudgets }): PrivacyLedger {
  const books = new Map<string, Book>()
  const turns = new AccountTurns()
  const limits = {
    personAndAcquirer: limitOf(budgets.personAndAcquirer),
    person: limitOf(budgets.person),
  }
  return {
    async setAside(asked) {
      const use = await turns.use(asked.acquirer)
      const request = { ...asked, acquirer: use.account }
      let outcome: Outcome<SetAside> | undefined
      try {
        outcome = await setAsideFrom(request, { db, books, limits, use })
        return outcome
      } finally {
        if (outcome?.ok !== true) use[Symbol.dispose]()
      }
    },
    join: (accounts, act) =>
      turns.join(accounts, async () => {
        await act((tx) => joinAccounts(tx, accounts))
        // Read anew from the record, where they are one now.
        const names = new Set([accounts.into, ...accounts.from])
        for (const [name, { acquirer }] of books) if (names.has(acquirer)) books.delete(name)
      }),
  }
}

interface Keeping {
  readonly db: Database
  readonly books: Map<string, Book>
  readonly limits: Books['limits']
  readonly use: AccountUse
}

async function setAsideFrom(
  request: SpendRequest,
  { db, books, limits, use }: Keeping,
): Promise<Outcome<SetAside>> {
  const { acquirer, dataSets, loss } = request
  const period = periodOf(request.now)
  for (const { dataSet, budget } of dataSets) {
    const account = await readAccount(db, { period, acquirer, dataSet })
    if (!isWithin(sumOf(account, loss), limitOf(budget)))
      return declined('declined.privacy_budget', { operatorNote: 'of the acquirer for the data set' })
  }
  const [ofAcquirer, ofAll] = [
    openBook(db, books, { period, acquirer }),
    openBook(db, books, { period, acquirer: '' }),
  ]
  return setAside(request, { period, ofAcquirer, ofAll, limits, use })
}

/** One acquirer's losses by person in one period; `acquirer` is empty for all acquirers together. */
interface Book {
  readonly acquirer: string
  readonly losses: Promise<PeopleLosses>
  /** Answers that count here and are not known to be in the record. */
  pendingCount: number
}

/** A calendar year, in UTC. */
function periodOf(now: Instant): string {
  return formatInstant(now).slice(0, 4)
}

/** Pins the book before anything is awaited, so that nobody drops it meanwhile. */
function openBook(
  db: Database,
  books: Map<string, Book>,
  { period, acquirer }: { period: string; acquirer: string },
): Book {
  const name = `${period}\0${acquirer}`
  const known = books.get(name)
  const book = known ?? { acquirer, losses: loadLosses(db, { period, acquirer }), pendingCount: 0 }
  if (!known) book.losses.catch(() => books.delete(name))
  books.delete(name)
  books.set(name, book)
  book.pendingCount += 1
  for (const [oldest, { pendingCount }] of books) {
    if (books.size <= ACQUIRERS_KEPT + 1) break
    if (pendingCount === 0) books.delete(oldest)
  }
  return book
}

interface Books {
  readonly period: string
  readonly ofAcquirer: Book
  readonly ofAll: Book
  readonly limits: { readonly personAndAcquirer: LossLimit; readonly person: LossLimit }
  readonly use: AccountUse
}

async function setAside(request: SpendRequest, books: Books): Promise<Outcome<SetAside>> {
  const { ofAcquirer, ofAll, limits, use } = books
  const { loss } = request
  const close = (): void => {
    ofAcquirer.pendingCount -= 1
    ofAll.pendingCount -= 1
    use[Symbol.dispose]()
  }
  try {
    const [theirs, everybodys] = await Promise.all([ofAcquirer.losses, ofAll.losses])
    // From here to the end without waiting: no other ask can come in between.
    const first = theirs.within(request.people, { loss, limit: limits.personAndAcquirer })
    const people = everybodys.within(first, { loss, limit: limits.person })
    if (people.count() < request.minimumGroup) {
      close()
      return declined('declined.privacy_budget', { operatorNote: 'of the people' })
    }
    theirs.add(people, loss)
    everybodys.add(people, loss)
    return ok(asideOf(request, { people, theirs, everybodys, close, period: books.period }))
  } catch (error) {
    close()
    throw error
  }
}

interface Aside {
  readonly period: string
  readonly people: Bitset
  readonly theirs: PeopleLosses
  readonly everybodys: PeopleLosses
  readonly close: () => void
}

function asideOf(
  { acquirer, dataSets, loss }: SpendRequest,
  { period, people, theirs, everybodys, close }: Aside,
): SetAside {
  let isWritten = false
  return {
    people,
    async commit(tx, ask) {
      // A commit whose end is not known may have happened, so the loss is not given back any more.
      isWritten = true
      for (const { dataSet, budget } of dataSets.toSorted((a, b) => (a.dataSet < b.dataSet ? -1 : 1))) {
        const isPaid = await spendFromAccount(
          tx,
          { period, acquirer, dataSet },
          { loss, limit: limitOf(budget) },
        )
        if (!isPaid)
          throw new Fault('fault.overloaded', {
            what: 'Cannot release: another answer used the privacy budget meanwhile',
          })
      }
      await appendSpend(tx, {
        period,
        ask,
        acquirer,
        dataSets: dataSets.map(({ dataSet }) => dataSet),
        loss,
        people: packBitset(people),
      })
    },
    [Symbol.dispose]: () => {
      if (!isWritten) {
        theirs.takeBack(people, loss)
        everybodys.takeBack(people, loss)
      }
      close()
    },
  }
}

function sumOf(left: PrivacyLoss, right: PrivacyLoss): PrivacyLoss {
  return {
    epsilonMicro: left.epsilonMicro + right.epsilonMicro,
    rhoNano: left.rhoNano + right.rhoNano,
  }
}
