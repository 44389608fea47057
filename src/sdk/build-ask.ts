import { canonicalJson } from '../kernel/canonical-json.ts'
import type { Instant } from '../kernel/clock.ts'
import { formatInstant } from '../kernel/clock.ts'
import { sealTo } from '../kernel/crypto/jwe.ts'
import { signJws } from '../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { digestOfJson } from '../kernel/digest.ts'
import { Fault } from '../kernel/faults.ts'
import type { IdSource } from '../kernel/id.ts'
import type { Money } from '../kernel/money.ts'
import { describeProblems, parseWith } from '../kernel/parse.ts'
import type { Random } from '../kernel/random.ts'
import { askSchema } from '../protocol/ask.ts'
import type { Ask, PrivacyRequest, Question, SealedQuestion } from '../protocol/ask.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import type { Mode } from '../protocol/mode.ts'
import type { ReleaseTo } from '../protocol/law/perimeter.ts'
import { wireMoney } from '../protocol/wire.ts'

/** What somebody wants to know, before it is sealed and signed. */
export interface AskRequest {
  readonly acquirer: string
  readonly purpose: string
  readonly legalBasis: string
  readonly mode: Mode
  /** The data set asked for first. */
  readonly offer: string
  /** Names of sites; absent: any. */
  readonly sites?: readonly string[] | undefined
  readonly within?: readonly string[] | undefined
  readonly releaseTo: ReleaseTo
  readonly question: Question
  /** The most to pay, over all sites. */
  readonly maxPrice: Money
  readonly expires: Instant
  readonly dryRun?: boolean | undefined
  /** For the mode `private`; absent: epsilon 0.1. */
  readonly privacy?: PrivacyRequest | undefined
  readonly id?: string | undefined
  readonly idempotencyKey?: string | undefined
}

/** A signed ask, ready to send. */
export interface SignedAsk {
  readonly ask: Ask
  readonly jws: string
}

/**
 * Seals the question to each site and signs the ask. The digest in the clear is over the question and a random salt,
 * so that the network cannot tell by guessing what was asked.
 */
export async function buildAsk(
  request: AskRequest,
  {
    sealingKeys,
    key,
    ids,
    random,
  }: { sealingKeys: ReadonlyMap<string, PublicJwk>; key: KeyPair; ids: IdSource; random: Random },
): Promise<SignedAsk> {
  const sealedText: SealedQuestion = {
    question: request.question,
    salt: Buffer.from(random.bytes(24)).toString('base64url'),
  }
  const plaintext = canonicalJson(sealedText)
  const sealed: Record<string, string> = {}
  for (const [site, sealingKey] of sealingKeys) {
    sealed[site] = sealTo(sealingKey, { plaintext, typ: TYP.question })
  }
  const wire = {
    id: request.id ?? ids.next('ask'),
    acquirer: request.acquirer,
    purpose: request.purpose,
    legalBasis: request.legalBasis,
    mode: request.mode,
    offer: request.offer,
    sites: request.sites ?? ['any'],
    ...(request.within === undefined ? {} : { within: request.within }),
    releaseTo: request.releaseTo,
    question: { digest: digestOfJson(sealedText), sealed },
    maxPrice: wireMoney(request.maxPrice),
    expires: formatInstant(request.expires),
    idempotencyKey: request.idempotencyKey ?? ids.next('key'),
    ...(request.dryRun === true ? { dryRun: true } : {}),
    ...(request.privacy === undefined ? {} : { privacy: request.privacy }),
  }
  const parsed = parseWith(askSchema, wire)
  if (!parsed.ok) {
    throw new Fault('fault.request_malformed', {
      what: `Cannot ask: ${describeProblems(parsed.error)}`,
      errors: parsed.error,
    })
  }
  return { ask: parsed.value, jws: signJws(canonicalJson(wire), { typ: TYP.ask, key }) }
}
