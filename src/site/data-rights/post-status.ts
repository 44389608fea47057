import { lookup as lookUp } from 'node:dns'
import https from 'node:https'
import { BlockList, isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import type { ExerciseStatus } from '../../protocol/http/data-rights-protocol.ts'

/** Sends a status to an address; whether it was taken. */
export type SendStatus = (address: string, status: ExerciseStatus) => Promise<boolean>

/** How callbacks are sent. */
export interface PostFacts {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether an agent may be on the local network, or on this very machine. */
  readonly mayBePrivate: boolean
  /** Authorities that are trusted instead of Node's own and those of `NODE_EXTRA_CA_CERTS`. */
  readonly ca?: string | undefined
}

const SEND_TIMEOUT_MS = 5_000

/**
 * Sends over HTTPS to a server whose certificate an authority vouches for, and follows nobody elsewhere. Whoever owns an
 * agent's name can have it lead anywhere, so what it leads to is looked at, not its name: an address inside the
 * perimeter is not called, and what was looked at is what is dialled. Taken is what is answered with 200 within
 * five seconds; nothing of the answer is read.
 */
export function postStatus({ clock, signal: outer, mayBePrivate, ca }: PostFacts): SendStatus {
  return async (address, status) => {
    const url = new URL(address)
    if (url.protocol !== 'https:' || (!mayBePrivate && isPrivateHost(url.hostname))) return false
    try {
      return await withDeadline({ clock, timeoutMs: SEND_TIMEOUT_MS, outer }, (signal) =>
        isTaken(url, { body: JSON.stringify(status), signal, mayBePrivate, ca }),
      )
    } catch {
      // Whatever stood in the way, it is tried again.
      return false
    }
  }
}

function isTaken(
  url: URL,
  {
    body,
    signal,
    mayBePrivate,
    ca,
  }: { body: string; signal: AbortSignal } & Pick<PostFacts, 'mayBePrivate' | 'ca'>,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      agent: false,
      signal,
      ...(mayBePrivate ? {} : { lookup: lookUpPublic }),
      ...(ca === undefined ? {} : { ca }),
    })
    request.on('error', reject)
    request.on('response', (response) => {
      resolve(response.statusCode === 200)
      response.destroy()
    })
    request.end(body)
  })
}

/** Looks a name up, and gives nothing if any of its addresses is not one of the open network. */
const lookUpPublic: LookupFunction = (hostname, options, done) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '')
    const [first] = addresses
    if (!first || addresses.some(({ address }) => isPrivateAddress(address)))
      return done(new Error('The name leads to an address that is not called'), '')
    return options.all === true ? done(null, addresses) : done(null, first.address, first.family)
  })
}

/** Of an address that stands in the place of a name; `[…]` is how a URL writes one of IPv6. */
function isPrivateHost(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) !== 0 && isPrivateAddress(address)
}

/** Whether an address is not one of the open network: the registries of special addresses (RFC 6890), and whatever is not global unicast in IPv6. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return SPECIAL.check(address, 'ipv4')
  return family !== 6 || !GLOBAL.check(address, 'ipv6') || SPECIAL.check(address, 'ipv6')
}

const SPECIAL = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(net, bits, 'ipv4')
// Those that carry an address of IPv4 inside (6to4, Teredo), and those for documents.
for (const [net, bits] of [
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  SPECIAL.addSubnet(net, bits, 'ipv6')

const GLOBAL = new BlockList()
GLOBAL.addSubnet('2000::', 3, 'ipv6')
