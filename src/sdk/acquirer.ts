import { later } from '../kernel/clock.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import { openSealed } from '../kernel/crypto/jwe.ts'
import { peekJws, verifyJws } from '../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import { digestOf } from '../kernel/digest.ts'
import { Fault } from '../kernel/faults.ts'
import type { IdSource } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Money } from '../kernel/money.ts'
import { parseJson } from '../kernel/parse-json.ts'
import type { Random } from '../kernel/random.ts'
import { siteDecisionSchema } from '../protocol/decision.ts'
import type { ReceiptBundle, SiteDecision } from '../protocol/decision.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import type { AskState, SiteAnswer } from '../protocol/http/network-api.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import type { Offer } from '../protocol/offer.ts'
import type { ReasonCode } from '../protocol/reason.ts'
import { releaseSchema } from '../protocol/release.ts'
import type { Release } from '../protocol/release.ts'
import { buildAsk } from './build-ask.ts'
import type { AskRequest, SignedAsk } from './build-ask.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'
import { pinSites } from './pin-sites.ts'
import type { PinStore } from './pin-sites.ts'
import { signingKeysOf } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'
import { storyProblems } from './story-problems.ts'
import { verifyReceipts } from './verify.ts'
import type { VerifiedReceipt } from './verify.ts'

/** What an acquirer needs to ask: its line to the network, its keys, and what it believes of others' keys. */
export interface AcquirerParts {
  readonly client: HttpClient
  readonly member: string
  readonly signing: KeyPair
  readonly sealing: KeyPair
  /** Keys that were rotated away; old releases are sealed to them. */
  readonly retiredSealing?: readonly KeyPair[]
  readonly pins: PinStore
  readonly clock: Clock
  readonly ids: IdSource
  readonly random: Random
}

/** What one site answered, with everything verified that can be. */
export interface SiteResult {
  readonly site: string
  readonly status: SiteAnswer['status']
  readonly reason: ReasonCode | undefined
  /** The site's signed decision; absent when it did not answer. */
  readonly decision: SiteDecision | undefined
  readonly captured: Money | undefined
  readonly receipts: readonly VerifiedReceipt[]
  readonly bundles: readonly ReceiptBundle[]
  /** Opened with the acquirer's key. */
  readonly release: Release | undefined
  /** The site withdrew it, because somebody in it was erased. */
  readonly withdrawnAt: Instant | undefined
  /** What does not hold: a signature, a digest, a proof. Empty when all is well. */
  readonly problems: readonly string[]
}

/** The answer to an ask over all sites; `reason` alone when the network declined it itself. */
export interface AskResult {
  readonly id: string
  readonly status: AskState['status']
  readonly reason: ReasonCode | undefined
  readonly detail: string | undefined
  readonly hold: Money | undefined
  readonly sites: readonly SiteResult[]
  readonly receipt: ReceiptBundle | undefined
}

/** An acquirer's half of the protocol. */
export interface Acquirer {
  offers(filter?: {
    dataSet?: string
    site?: string
    mode?: Offer['modes'][number]
  }): Promise<readonly Offer[]>
  /** Seals and signs, without sending. */
  prepare(request: Omit<AskRequest, 'acquirer'>): Promise<SignedAsk>
  /** Sends a signed ask; the same one again gives the same answer. */
  send(jws: string): Promise<AskState>
  /** Waits until every site has answered, the ask has expired or `until` has passed. */
  wait(askId: string, until: Instant, signal?: AbortSignal): Promise<AskState>
  /** Opens and verifies everything that has come for an ask. */
  open(state: AskState): Promise<AskResult>
  /** All four in one. */
  ask(request: Omit<AskRequest, 'acquirer'>, signal?: AbortSignal): Promise<AskResult>
  find(askId: string): Promise<AskState>
}

/** An acquirer at a network. */
export function openAcquirer(parts: AcquirerParts): Acquirer {
  const { client, clock } = parts
  const keys = sealingKeyCache(parts)
  const acquirer: Acquirer = {
    offers: async (filter = {}) =>
      collectPages(async (cursor) =>
        client.call(NETWORK_API.listOffers, { query: { ...filter, cursor, limit: 200 } }),
      ),
    prepare: (request) => prepare(parts, { request, keys }),
    send: (jws) => sendAsk(client, { jws }),
    async wait(askId, until, signal) {
      for (;;) {
        const waitMs = Math.max(0, Math.min(LIMITS.longPollMs, until - clock.now()))
        const state = await client.call(NETWORK_API.askState, {
          params: { id: askId },
          query: { wait: waitMs, releases: 'true' },
          signal,
        })
        if (state.status !== 'waiting' || clock.now() >= until || signal?.aborted === true) return state
      }
    },
    open: async (state) => openAnswers(parts, state, await parts.pins.read()),
    async ask(request, signal) {
      const { ask, jws } = await prepare(parts, { request, keys })
      // The network needs a moment after the expiry to say who did not answer.
      const until = later(request.expires, EXPIRY_GRACE_MS)
      const waitMs = Math.max(0, Math.min(LIMITS.longPollMs, until - clock.now()))
      const [first, known] = await Promise.all([sendAsk(client, { jws, waitMs, signal }), parts.pins.read()])
      const state = first.status === 'waiting' ? await acquirer.wait(ask.id, until, signal) : first
      return openAnswers(parts, state, known)
    },
    find: (askId) => client.call(NETWORK_API.askState, { params: { id: askId } }),
  }
  return acquirer
}

const EXPIRY_GRACE_MS = 3_000

type SealingKeys = ReadonlyMap<string, PublicJwk>
type SealingKeysFor = (request: Pick<AskRequest, 'offer' | 'sites'>) => Promise<SealingKeys>

/** Keys found a moment ago serve for the next ask too; a site that changed them declines what is sealed to the old ones. */
const KEYS_KEPT_MS = 30_000

function sealingKeyCache(parts: AcquirerParts): SealingKeysFor {
  const found = new Map<string, { readonly keys: SealingKeys; readonly until: Instant }>()
  return async (request) => {
    const name = [request.offer, ...(request.sites ?? ['any'])].join(' ')
    const now = parts.clock.now()
    const known = found.get(name)
    if (known && known.until > now) return known.keys
    const keys = await sealingKeysFor(parts, request)
    // A site that offers in a moment should not be missed for long, so nothing found is not kept.
    if (keys.size > 0) found.set(name, { keys, until: later(now, KEYS_KEPT_MS) })
    return keys
  }
}

async function prepare(
  parts: AcquirerParts,
  { request, keys }: { request: Omit<AskRequest, 'acquirer'>; keys: SealingKeysFor },
): Promise<SignedAsk> {
  const sealingKeys = await keys(request)
  return buildAsk(
    { ...request, acquirer: parts.member },
    { sealingKeys, key: parts.signing, ids: parts.ids, random: parts.random },
  )
}

/** The keys of the sites that offer the data set, each pinned, and refused when they changed without a rotation. */
async function sealingKeysFor(
  parts: AcquirerParts,
  { offer, sites }: Pick<AskRequest, 'offer' | 'sites'>,
): Promise<ReadonlyMap<string, PublicJwk>> {
  const offers = await collectPages((cursor) =>
    parts.client.call(NETWORK_API.listOffers, { query: { dataSet: offer, cursor, limit: 200 } }),
  )
  const wanted = new Set(
    offers.map(({ site }) => String(site)).filter((site) => sites?.includes(site) ?? true),
  )
  const pinned = await pinSites(parts, wanted)
  const keys = [...wanted].map((site) => [site, pinned.sites[site]?.present.sealing] as const)
  return new Map(keys.flatMap(([site, key]) => (key ? [[site, key] as const] : [])))
}

/** Sends one ask; with `waitMs` its answer is that of the sites, with what they released, if it comes in time. */
async function sendAsk(
  client: HttpClient,
  { jws, waitMs, signal }: { jws: string; waitMs?: number; signal?: AbortSignal | undefined },
): Promise<AskState> {
  const answer = await client.call(NETWORK_API.ask, {
    ...(waitMs === undefined ? {} : { query: { wait: waitMs, releases: 'true' } }),
    body: { ask: jws },
    isRepeatable: true,
    signal,
  })
  if ('answers' in answer)
    throw new Fault('fault.peer_refused', { what: 'The network answered one ask as a batch' })
  return answer
}

/** Opens and verifies everything that has come for an ask, with the keys that are known; those of others are looked up. */
export async function openAnswers(
  parts: AcquirerParts,
  state: AskState,
  known: PinnedKeys,
): Promise<AskResult> {
  // A state that was waited for brings its releases.
  const isLacking = state.sites.some(({ hasRelease, release }) => hasRelease && release === undefined)
  const { releases } = isLacking
    ? await parts.client.call(NETWORK_API.releases, { params: { id: state.id } })
    : { releases: [] }
  const isKnown = state.sites.every((answer) => isSignerKnown(answer, known))
  const pinned = isKnown ? known : await pinSites(parts, new Set(state.sites.map(({ site }) => String(site))))
  const sites: SiteResult[] = []
  for (const answer of state.sites) {
    const sealed = answer.release ?? releases.find(({ site }) => site === answer.site)?.release
    sites.push(
      openSiteAnswer(answer, {
        askId: state.id,
        sealed,
        keys: [parts.sealing, ...(parts.retiredSealing ?? [])],
        pinned,
      }),
    )
  }
  const { id, status, reason, detail, hold, receipt } = state
  return { id, status, reason, detail, hold, sites, receipt }
}

/** Whether the keys seen so far verify an answer: a site may have rotated them after the ask was sealed. */
function isSignerKnown({ site, decision }: SiteAnswer, pinned: PinnedKeys): boolean {
  if (decision === undefined) return site in pinned.sites
  const keyId = peekJws(decision)?.header.kid
  return signingKeysOf(pinned, site).some((key) => keyIdOf(key) === keyId)
}

/** Verifies one site's decision, receipts and release against each other, and opens the release. */
function openSiteAnswer(
  answer: SiteAnswer,
  {
    askId,
    sealed,
    keys,
    pinned,
  }: { askId: string; sealed: string | undefined; keys: readonly KeyPair[]; pinned: PinnedKeys },
): SiteResult {
  const problems: string[] = []
  const signers = signingKeysOf(pinned, answer.site)
  const decision = answer.decision === undefined ? undefined : openDecision(answer.decision, signers)
  if (answer.decision !== undefined && (decision?.ask !== askId || decision.site !== answer.site))
    problems.push('the decision is not signed by the site for this ask')
  const receipts = verifyReceipts(answer.receipts, pinned)
  for (const receipt of receipts)
    if (!receipt.isVerified) problems.push(`a receipt does not verify: ${receipt.problem}`)
  if (decision) {
    const { site, captured, withdrawnAt } = answer
    const told = receipts.map(({ receipt }) => receipt)
    const kept = sealed === undefined ? undefined : digestOf(sealed)
    const isWithdrawn = withdrawnAt !== undefined
    problems.push(
      ...storyProblems({ askId, site, decision, receipts: told, sealed: kept, isWithdrawn, captured }),
    )
  }
  let release: Release | undefined
  if (sealed !== undefined) {
    if (!decision) problems.push('the release is not the one that the decision names')
    release = openRelease(sealed, keys)
    if (!release || release.ask !== askId || release.site !== answer.site)
      problems.push('the release cannot be opened with the key of this member')
  }
  const { site, status, reason, captured, withdrawnAt, receipts: bundles } = answer
  return { site, status, reason, decision, captured, receipts, bundles, release, withdrawnAt, problems }
}

/** Opens a sealed release with one of the acquirer's keys; `undefined` when it is for somebody else or was changed. */
function openRelease(sealed: string, keys: readonly KeyPair[]): Release | undefined {
  for (const key of keys) {
    const opened = openSealed(sealed, { key, typ: TYP.release })
    const parsed = opened && releaseSchema.safeParse(parseJson(new TextDecoder().decode(opened)))
    if (parsed?.success === true) return parsed.data
  }
  return undefined
}

function openDecision(jws: string, keys: readonly PublicJwk[]): SiteDecision | undefined {
  const verified = verifyJws(jws, {
    typ: TYP.decision,
    keyFor: (keyId) => keys.find((key) => keyIdOf(key) === keyId),
  })
  const parsed = verified.ok ? siteDecisionSchema.safeParse(parseJson(verified.value.payload)) : undefined
  return parsed?.success === true ? parsed.data : undefined
}
