import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { Random } from '../random.ts'
import { ACCESS_TOKEN_LENGTH } from './access-tokens.ts'
import { GoodKeys } from './good-keys.ts'
import { networkPart } from './network-part.ts'
import { TokenBuckets } from './token-buckets.ts'

function rateSchema(perSecond: number, burst: number) {
  const wanted = 'expected a number from 0.01 to 1000000'
  return z
    .strictObject({
      perSecond: z.coerce.number(wanted).min(0.01, wanted).max(1_000_000, wanted).default(perSecond),
      burst: z.coerce
        .number(wanted)
        .int('expected a whole number')
        .min(1, wanted)
        .max(1_000_000, wanted)
        .default(burst),
    })
    .prefault({})
}

/**
 * How much one caller may ask of a door. A member, site or officer may ask for what a server can do at all, so that no
 * trade waits: it is there to be lowered where several share a machine. A batch counts as one request.
 */
export const requestRatesSchema = z
  .strictObject({
    caller: rateSchema(5_000, 20_000),
    address: rateSchema(50, 500),
    addressHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header, such as x-forwarded-for')
      .optional(),
  })
  .prefault({})

/** The same where people call too. */
export const siteRequestRatesSchema = requestRatesSchema
  .unwrap()
  .extend({ person: rateSchema(20, 200) })
  .prefault({})

export type RequestRatesSettings = z.infer<typeof requestRatesSchema>

/** Whose bucket was empty; also the label of the metric. */
export type RateKind = 'caller' | 'person' | 'address'

/** A request that came too soon (RFC 6585 §4). Nothing was done. */
export class TooManyRequests extends Fault {
  readonly waitMs: number

  constructor(waitMs: number) {
    super('fault.too_many_requests', { what: 'Cannot take the request: too many came from the same caller' })
    this.waitMs = waitMs
  }
}

/** What a door asks before it works for somebody. Each throws `TooManyRequests`. */
export interface RequestRates {
  /** A request that is let in without a token, and whose content has to be verified. */
  admitUnknown(context: Context): void
  /** Before a token is verified: not for an address that sent wrong ones all the time, unless a good one of the same key came before. */
  admitToken(context: Context, token: string): void
  /** The same before a token is exchanged for another, where a good one of the same key costs the address nothing. */
  admitExchange(context: Context, token: string): void
  /** A token was verified and is good. */
  noteGood(token: string): void
  /** A token was verified and is none. */
  noteRefused(context: Context): void
  /** A caller who is known, by name. */
  admitCaller(name: string, kind: Exclude<RateKind, 'address'>): void
}

/** The rates of one server. `limited` is told whose bucket was empty, and nothing of who it is. */
export function requestRates({
  settings: { caller, person = caller, address, addressHeader },
  clock,
  random,
  limited,
}: {
  settings: RequestRatesSettings & { readonly person?: RequestRatesSettings['caller'] | undefined }
  clock: Clock
  random: Random
  limited: (kind: RateKind) => void
}): RequestRates {
  const addresses = new TokenBuckets({ rate: address, clock, random })
  const known = {
    caller: new TokenBuckets({ rate: caller, clock, random }),
    person: new TokenBuckets({ rate: person, clock, random }),
  }
  const require = (waitMs: number, kind: RateKind): void => {
    if (waitMs <= 0) return
    limited(kind)
    throw new TooManyRequests(waitMs)
  }
  const goodKeys = new GoodKeys({ random })
  return {
    admitUnknown: (context) => require(addresses.take(addressOf(context, addressHeader)), 'address'),
    admitToken(context, token) {
      // Neither an access token, which is looked up, nor a key that has signed before pays for neighbours at the same address.
      if (isAccessToken(token) || goodKeys.has(token)) return
      require(addresses.waitMs(addressOf(context, addressHeader)), 'address')
    },
    admitExchange(context, token) {
      if (!goodKeys.has(token)) require(addresses.take(addressOf(context, addressHeader)), 'address')
    },
    noteGood(token) {
      // It names no key, and looking for one in it would cost every request of a trade as much as finding its caller.
      if (!isAccessToken(token)) goodKeys.add(token)
    },
    noteRefused: (context) => void addresses.take(addressOf(context, addressHeader)),
    admitCaller: (name, kind) => require(known[kind].take(name), kind),
  }
}

function isAccessToken(token: string): boolean {
  return token.length === ACCESS_TOKEN_LENGTH && !token.includes('.')
}

/**
 * Where a request comes from: the other end of the connection, or what the nearest proxy says when the settings name its
 * header. Of an IPv6 address the network part alone, because one machine has the rest to itself.
 */
function addressOf(context: Context, header: string | undefined): string {
  return networkPart(callerAddress(context, header))
}

/** The whole of it, as it is said; empty for a door that is called in the same process. */
export function callerAddress(context: Context, header: string | undefined): string {
  const forwarded =
    header === undefined ? undefined : context.req.raw.headers.get(header)?.split(',').at(-1)?.trim()
  return forwarded ?? connectionAddress(context)
}

function connectionAddress(context: Context): string {
  // Without a connection (a door that is called in the same process) everybody is one.
  const { incoming } = (context.env ?? {}) as { incoming?: unknown }
  return incoming === undefined ? '' : (getConnInfo(context).remote.address ?? '')
}
