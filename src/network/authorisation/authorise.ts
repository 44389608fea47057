import { formatInstant, onceUnderWay } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { isOpen } from '../catalogue/is-open.ts'
import type { NetworkEvents } from '../events.ts'
import type { Directory } from '../membership/directory.ts'
import type { TermsOfUse } from '../membership/terms-of-use.ts'
import { routeAsk } from '../routing/route-ask.ts'
import { declinedState, takenState } from './ask-state.ts'
import type { AskStateMessage } from './ask-state.ts'
import type { BookingLine } from './booking-line.ts'
import { checkAsk } from './checks.ts'
import { decideCarefully } from './decide-carefully.ts'
import type { AskUnderCheck, CarefulOutcome } from './decide-carefully.ts'
import { passedAsk } from './decided-ask.ts'
import type { BookedAsk, PassedAsk } from './decided-ask.ts'
import { readAsk } from './read-asks.ts'
import type { Submission } from './read-submission.ts'
import { takeStatement, takenOf } from './take-asks.ts'
import type { TakenRow } from './take-asks.ts'
import { untakeAsks } from './untake-asks.ts'

/** What authorising works with. */
export interface AuthoriserParts {
  readonly db: Database
  readonly line: BookingLine
  readonly clock: Clock
  readonly directory: Directory
  readonly catalogue: Catalogue
  readonly termsOfUse: Pick<TermsOfUse, 'lacking'>
  readonly log: Pick<ReceiptLog, 'issue' | 'bundle'>
  readonly events: NetworkEvents
  /** Called once asks for these sites are durable; with the ask, where it is one that came alone. */
  readonly wakeSites: (sites: ReadonlySet<string>, booked?: BookedAsk) => void
}

interface Job {
  readonly submission: Submission
  readonly asks: readonly AskUnderCheck[]
  /** Those that pass every check that needs no database, if their signatures are good. */
  readonly passed: readonly PassedAsk[]
  /** Ends when its signature has been verified; `undefined` when nobody has begun. */
  readonly verifying: Promise<void> | undefined
  resolve(states: readonly AskStateMessage[]): void
  reject(error: unknown): void
}

/** Requests whose asks go into the database together. */
interface Booking {
  readonly jobs: readonly Job[]
  readonly at: Instant
  /** Whether all that passed were taken. */
  readonly taking: Promise<boolean>
}

/**
 * Decides asks. Those that pass are taken by one statement; while it runs, the next ones gather and go together, so
 * that one commit carries many. Whatever is not plain (a decline, a repetition, an account that does not cover all) is
 * then decided one by one in a transaction. Only one booking runs at a time: asks get their place in the sites'
 * work in the order in which they become durable.
 */
export class Authoriser {
  readonly #parts: AuthoriserParts
  readonly #waiting: Job[] = []
  #isBooking = false

  constructor(parts: AuthoriserParts) {
    this.#parts = parts
  }

  /** Decides everything of one request; the answers are in its order. Durable when it resolves. */
  authorise(submission: Submission): Promise<readonly AskStateMessage[]> {
    const { clock } = this.#parts
    if (this.#waiting.length >= LIMITS.asksWaitingMax) {
      throw new Fault('fault.overloaded', { what: 'Cannot take the ask: too many are waiting to be decided' })
    }
    const now = clock.now()
    const asks = submission.asks.map((sent) => this.#underCheck(sent, now))
    const passed = plainAsks(asks, now)
    // Who comes alone is verified on this core while the database works; with others, on another core while it waits.
    const verifying = this.#isBooking && passed.length > 0 ? submission.verifyElsewhere() : undefined
    return new Promise((resolve, reject) => {
      this.#waiting.push({ submission, asks, passed, verifying, resolve, reject })
      if (!this.#isBooking) void this.#book()
    })
  }

  #underCheck(sent: Submission['asks'][number], now: Instant): AskUnderCheck {
    const { directory, catalogue, termsOfUse } = this.#parts
    const route = routeAsk(sent.ask, {
      offers: catalogue.of(sent.ask.offer),
      isOpen: (offer) => isOpen(offer, directory),
      now,
    })
    const termsLacking = termsOfUse.lacking(sent.ask.acquirer, now)
    return { sent, acquirer: directory.member(sent.ask.acquirer), route, termsLacking }
  }

  /** The next booking is on its way before those of the last one are told, so that the database does not wait for that. */
  async #book(): Promise<void> {
    this.#isBooking = true
    let booked: Booking | undefined
    do {
      const jobs = this.#nextJobs()
      const next = jobs.length > 0 ? this.#send(jobs) : undefined
      if (booked) this.#tellPlain(booked)
      booked = next && ((await this.#isPlain(next)) ? next : undefined)
    } while (booked || this.#waiting.length > 0)
    this.#isBooking = false
  }

  /** As many requests as fit into one booking: at most one batch, and no ask id twice. */
  #nextJobs(): readonly Job[] {
    const jobs: Job[] = []
    const ids = new Set<string>()
    let batches = 0
    for (let job = this.#waiting[0]; job; job = this.#waiting[0]) {
      batches += job.submission.batch ? 1 : 0
      const isTooMuch = batches > 1 || ids.size + job.passed.length > LIMITS.asksPerBatchMax
      if (jobs.length > 0 && (isTooMuch || job.passed.some(({ sent }) => ids.has(sent.ask.id)))) break
      for (const { sent } of job.passed) ids.add(sent.ask.id)
      jobs.push(job)
      this.#waiting.shift()
    }
    return jobs
  }

  #send(jobs: readonly Job[]): Booking {
    const at = this.#parts.clock.now()
    return { jobs, at, taking: this.#take(jobs, at) }
  }

  /** Whether everything of a booking is taken and durable. What is not gets decided here, before anything else is booked. */
  async #isPlain({ jobs, at, taking }: Booking): Promise<boolean> {
    try {
      const taken = await taking
      if (taken && jobs.every(isPlain)) return true
      if (!taken && jobs.length > 1) {
        // Something of somebody is in the way: the others must not wait for that to be sorted out.
        for (const job of jobs) {
          const alone = this.#send([job])
          if (await this.#isPlain(alone)) this.#tellPlain(alone)
        }
        return false
      }
      // What is done already does not wait for what takes longer.
      const plain = taken ? jobs.filter(isPlain) : []
      this.#tellPlain({ jobs: plain, at })
      for (const job of jobs.filter((each) => !plain.includes(each))) {
        await this.#finish(job, { taken, at }).catch((error: unknown) => job.reject(error))
      }
    } catch (error) {
      for (const job of jobs) job.reject(error)
    }
    return false
  }

  /** The signatures are verified while the database works; what turns out to be forged is taken back. */
  async #take(jobs: readonly Job[], at: Instant): Promise<boolean> {
    const { db, line, wakeSites } = this.#parts
    const asks = jobs.flatMap(({ passed }) => passed)
    if (asks.length === 0) return true
    const batch = jobs.map(({ submission }) => submission.batch).find((each) => each !== undefined)
    const running = takenOf(line.run<TakenRow>(takeStatement({ asks, batch }, at)))
    const [taken, forged] = await Promise.all([running, verify(jobs, asks)])
    if (!taken) return false
    if (forged.length > 0) {
      await untakeAsks(db, forged)
      this.#parts.events.forgeryTakenBack({ asks: forged.length })
    }
    if (forged.length < asks.length) wakeSites(sitesOf(asks), bookedAlone(asks, taken, at))
    return true
  }

  #tellPlain({ jobs, at }: Pick<Booking, 'jobs' | 'at'>): void {
    const received = formatInstant(at)
    for (const job of jobs) {
      try {
        job.resolve(job.passed.map((ask) => takenState(ask, received)))
      } catch (error) {
        job.reject(error)
      }
    }
    // Whoever waits, and the site whose work it is, go first.
    void onceUnderWay().then(() => {
      for (const { passed, submission } of jobs)
        if (passed.length > 0) this.#parts.events.asksTaken(passed, submission.batch?.id)
    })
  }

  async #finish(job: Job, { taken, at }: { taken: boolean; at: Instant }): Promise<void> {
    const states = new Map<AskUnderCheck['sent'], AskStateMessage>()
    const done = taken ? job.passed.filter(({ sent }) => sent.isSigned()) : []
    const received = formatInstant(at)
    for (const ask of done) states.set(ask.sent, takenState(ask, received))
    if (done.length > 0) this.#parts.events.asksTaken(done, job.submission.batch?.id)
    const rest = job.asks.filter(({ sent }) => !states.has(sent))
    if (rest.length > 0) {
      for (const outcome of await this.#decideRest(job, rest, at)) {
        states.set(sentOf(outcome), await this.#stateOf(outcome, at))
      }
    }
    job.resolve(job.asks.flatMap(({ sent }) => states.get(sent) ?? []))
  }

  async #decideRest(
    { submission: { batch } }: Job,
    asks: readonly AskUnderCheck[],
    at: Instant,
  ): Promise<readonly CarefulOutcome[]> {
    const { db, log } = this.#parts
    const outcomes = await db.transaction().execute((tx) => decideCarefully(tx, { asks, batch, at, log }))
    this.#parts.wakeSites(
      sitesOf(outcomes.flatMap((outcome) => (outcome.kind === 'taken' ? [outcome.ask] : []))),
    )
    return outcomes
  }

  async #stateOf(outcome: CarefulOutcome, at: Instant): Promise<AskStateMessage> {
    const { db, log, events } = this.#parts
    switch (outcome.kind) {
      case 'taken':
        events.asksTaken([outcome.ask], undefined)
        return takenState(outcome.ask, formatInstant(at))
      case 'declined':
        events.askDeclined(outcome.ask)
        return declinedState(outcome.ask, {
          received: formatInstant(at),
          receipt: await log.bundle(outcome.receipt),
        })
      case 'known': {
        const known = await readAsk({ db, log }, outcome.sent.ask.id)
        if (!known) throw new Fault('fault.internal', { what: 'Cannot find an ask that was seen before' })
        return known.state
      }
    }
  }
}

/** Asks that pass, as far as can be told without the database; an id that comes again in a request is left for later. */
function plainAsks(asks: readonly AskUnderCheck[], now: Instant): readonly PassedAsk[] {
  const ids = new Set<string>()
  return asks.flatMap((ask) => {
    const { sent, route } = ask
    const standing = { isReplayed: false, availableMinor: route.holdMinor, leftTodayMinor: undefined }
    const facts = { ...ask, isSigned: sent.isClaimed, standing, now }
    if (ids.has(sent.ask.id) || checkAsk(facts)) return []
    ids.add(sent.ask.id)
    return [passedAsk(sent, route)]
  })
}

/** Whether all asks of a request are taken once those that passed are. */
function isPlain({ asks, passed }: Job): boolean {
  return passed.length === asks.length && passed.every(({ sent }) => sent.isSigned())
}

/** Verifies what is not being verified yet; gives the asks that are forged. */
async function verify(jobs: readonly Job[], asks: readonly PassedAsk[]): Promise<readonly PassedAsk[]> {
  const begun = jobs.flatMap(({ verifying }) => verifying ?? [])
  for (const { passed, verifying } of jobs) if (!verifying) for (const { sent } of passed) sent.isSigned()
  if (begun.length > 0) await Promise.all(begun)
  return asks.filter(({ sent }) => !sent.isSigned())
}

/** What is known of an ask that was booked by a statement of its own. */
function bookedAlone([ask]: readonly PassedAsk[], { places }: TakenRow, at: Instant): BookedAsk | undefined {
  return ask && places ? { ask, at, places: places.map(BigInt) } : undefined
}

function sitesOf(asks: readonly PassedAsk[]): ReadonlySet<string> {
  return new Set(asks.flatMap(({ legs }) => legs.map(({ site }) => site)))
}

function sentOf(outcome: CarefulOutcome): AskUnderCheck['sent'] {
  return outcome.kind === 'known' ? outcome.sent : outcome.ask.sent
}
