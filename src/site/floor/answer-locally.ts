import type { Instant } from '../../kernel/clock.ts'
import { peekJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { digestOf, digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { Decline } from '../../protocol/reason.ts'
import { highestPrice } from '../../protocol/money/tariff.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { findAnswer } from '../asks/answer-store.ts'
import type { StoredAnswer } from '../asks/answer-store.ts'
import { composeDecision, detailOf } from '../asks/compose-decision.ts'
import type { SiteContext } from '../site-context.ts'
import type { PulledAsk } from '../line/serve-line.ts'
import type { FloorHold } from './floor-desk.ts'
import { LEAVES_FREE, checkLocally } from './local-checks.ts'
import type { LocalFacts } from './local-checks.ts'
import { findLocalAsk, findLocalAsks } from './local-ask-store.ts'
import type { LocalAsk } from './local-ask-store.ts'
import { localBooking } from './local-booking.ts'
import { offersNow } from './offers-now.ts'
import { localState } from './local-state.ts'
import type { LocalState } from './local-state.ts'

/** What answering on the local network needs besides the site. */
export interface LocalParts {
  readonly site: SiteContext
  /** Answers an ask as one that came through the network; one that is being answered is not answered beside that. */
  answer(pulled: PulledAsk): Promise<StoredAnswer>
  /** Something was booked: the network is to be told. */
  booked(): void
}

/** A signed ask, read. */
interface ReadAsk {
  readonly jws: string
  readonly ask: Ask
  readonly bodyDigest: string
}

/**
 * Answers an ask that came on the local network: what the network checks is checked here, its highest price is set aside on
 * a floor limit, and then it is answered as any other, by the same checks, guard and budgets. What is booked stands in the
 * same transaction as the answer.
 *
 * @throws Fault `fault.request_malformed` when it is no ask
 */
export async function answerLocally(
  { jws, sender }: { jws: string; sender: MemberId },
  parts: LocalParts,
): Promise<LocalState> {
  const { site } = parts
  const read = readAsk(jws)
  const { id, acquirer, idempotencyKey } = read.ask
  // One after another where they could be the same: what was seen before must not change under the look at it.
  return site.localTurns.run([`id ${id}`, `key ${acquirer} ${idempotencyKey}`], async () => {
    const now = site.clock.now()
    const seen = await findSeen(site, read)
    const member = await site.pins.record(acquirer, now)
    const isSigned = member !== undefined && isSignedBy(read.jws, { member, sender })
    const facts = {
      ask: read.ask,
      ...offerFacts(site, read.ask),
      acquirer: member,
      isSigned,
      isReplayed: seen.isReplayed,
      now,
    }
    const early = checkLocally({ ...facts, isCovered: true })
    if (early && LEAVES_FREE.has(early.code)) return declineUnkept(site, { read, decline: early, now })
    if (seen.same) return localState(seen.same, site)
    // Only what passes everything else sets money aside.
    const hold = early ? undefined : holdFor(site, { ask: read.ask, now })
    const isCovered = hold !== undefined || (read.ask.dryRun && hasLimit(site, { ask: read.ask, now }))
    try {
      return await answerNew(
        { read, member, decline: checkLocally({ ...facts, isCovered }), hold, now },
        parts,
      )
    } finally {
      await hold?.end()
    }
  })
}

/** The answer to a local ask again; `undefined` when there is none, or it is somebody else's. */
export async function findLocalAnswer(
  site: SiteContext,
  { ask, caller }: { ask: string; caller: string },
): Promise<LocalState | undefined> {
  const local = await findLocalAsk(site.db, ask)
  const answer = local?.acquirer === caller ? await findAnswer(site.db, local.askId) : undefined
  return local && answer && localState({ ask: readAsk(local.jws).ask, local, answer }, site)
}

interface NewAsk {
  readonly read: ReadAsk
  readonly member: MemberRecord | undefined
  readonly decline: Decline | undefined
  readonly hold: FloorHold | undefined
  readonly now: Instant
}

async function answerNew(
  { read, member, decline, hold, now }: NewAsk,
  parts: LocalParts,
): Promise<LocalState> {
  const { ask, jws, bodyDigest } = read
  const limit = hold?.amount ?? highestFor(parts.site, ask)
  const local = {
    askId: ask.id,
    acquirer: ask.acquirer,
    idempotencyKey: ask.idempotencyKey,
    bodyDigest,
    jws,
    limitMinor: limit.amountMinor,
    received: now,
  }
  const { id, acquirer, offer: dataSet, dryRun, expires } = ask
  const answer = await parts.answer({
    item: { ask: id, acquirer, jws, dataSet, priceLimit: limit, dryRun, expires },
    batchJws: undefined,
    acquirer: member,
    signer: member,
    local: localBooking(local, { decline, limit: hold?.limit }),
  })
  if (answer.floorLimit !== undefined) parts.booked()
  const kept = (await findLocalAsk(parts.site.db, id)) ?? local
  return localState({ ask, local: kept, answer }, parts.site)
}

/** A decline that leaves id and key free: it gets a receipt and is told, and is not the answer to the ask. */
async function declineUnkept(
  site: SiteContext,
  { read: { ask, jws }, decline, now }: { read: ReadAsk; decline: Decline; now: Instant },
): Promise<LocalState> {
  const askDigest = digestOf(jws)
  const facts = {
    ask: ask.id,
    site: site.site,
    reason: decline.code,
    detail: detailOf(decline),
    decidedAt: now,
  }
  const decision = composeDecision(facts, site.keys.signing)
  const [receipt] = await site.db.transaction().execute((tx) =>
    site.log.issue(tx, [
      {
        kind: 'decline',
        ask: askDigest,
        askId: ask.id,
        acquirer: ask.acquirer,
        purpose: ask.purpose,
        mode: ask.mode,
        dataSet: ask.offer,
        reason: decline.code,
      },
    ]),
  )
  const { acquirer, offer: dataSet } = ask
  site.events.decided({ ask: ask.id, acquirer, dataSet, reason: decline.code, durationMs: 0 })
  const answer: StoredAnswer = {
    askId: ask.id,
    askDigest,
    acquirer,
    decision: decision.body,
    decisionJws: decision.jws,
    receiptSequences: receipt ? [receipt.sequence] : [],
    decidedAt: now,
  }
  return localState({ ask, local: { received: now, limitMinor: ask.maxPrice.amountMinor }, answer }, site)
}

interface Seen {
  readonly isReplayed: boolean
  /** The answer that the same ask has. */
  readonly same:
    | {
        readonly ask: Ask
        readonly local: Pick<LocalAsk, 'received' | 'limitMinor'>
        readonly answer: StoredAnswer
      }
    | undefined
}

/** What stands under its id, whichever way it came, and under its key. */
async function findSeen({ db }: SiteContext, { ask, jws, bodyDigest }: ReadAsk): Promise<Seen> {
  const earlier = await findLocalAsks(db, ask)
  if (earlier.some((one) => one.askId !== ask.id || one.bodyDigest !== bodyDigest))
    return { isReplayed: true, same: undefined }
  const answer = await findAnswer(db, ask.id)
  if (!answer) return { isReplayed: false, same: undefined }
  const [local = { received: answer.decidedAt, limitMinor: ask.maxPrice.amountMinor }] = earlier
  // One that came through the network is known by the digest of its signed text.
  const isSame = earlier.length > 0 || answer.askDigest === digestOf(jws)
  return isSame ? { isReplayed: false, same: { ask, local, answer } } : { isReplayed: true, same: undefined }
}

function holdFor(site: SiteContext, { ask, now }: { ask: Ask; now: Instant }): FloorHold | undefined {
  return ask.dryRun ? undefined : site.floor.hold(ask.acquirer, highestFor(site, ask), now)
}

function hasLimit(site: SiteContext, { ask, now }: { ask: Ask; now: Instant }): boolean {
  return site.floor.hasLimit(ask.acquirer, ask.maxPrice.currency, now)
}

/** What is held: the highest price, but not more than the asker would pay. */
function highestFor(site: SiteContext, { offer, maxPrice }: Ask) {
  const manifest = site.manifests().get(offer)
  const highest = manifest && highestPrice(manifest.tariff)
  return highest && highest.amountMinor < maxPrice.amountMinor && highest.currency === maxPrice.currency
    ? highest
    : maxPrice
}

function offerFacts(
  site: SiteContext,
  ask: Ask,
): Pick<LocalFacts, 'site' | 'territory' | 'offer' | 'published'> {
  return {
    site: site.site,
    territory: site.territory,
    offer: offersNow(site).find(({ dataSet }) => dataSet === ask.offer),
    published: site.published,
  }
}

/** By the acquirer's present key, and sent by the acquirer or by a processor that it named. */
function isSignedBy(jws: string, { member, sender }: { member: MemberRecord; sender: MemberId }): boolean {
  if (sender !== member.id && !member.processors.includes(sender)) return false
  const { signing } = member.keys
  const expected = {
    typ: TYP.ask,
    keyFor: (keyId: string) => (keyIdOf(signing) === keyId ? signing : undefined),
  }
  return verifyJws(jws, expected).ok
}

function readAsk(jws: string): ReadAsk {
  const payload = payloadOf(jws)
  const parsed = parseWith(askSchema, payload)
  if (parsed.ok) return { jws, ask: parsed.value, bodyDigest: digestOfJson(payload) }
  throw malformed(parsed.error.map((problem) => ({ ...problem, field: `ask.${problem.field}` })))
}

function payloadOf(jws: string): unknown {
  const seen = peekJws(jws)
  const payload = seen && parseJson(seen.payload)
  // The same answer as to a text that is no JWS: neither shows what came.
  if (payload !== undefined) return payload
  throw malformed([{ field: 'ask', expected: 'expected a compact JWS over JSON' }])
}

function malformed(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot read the ask: some fields are not what was expected',
    errors,
  })
}
