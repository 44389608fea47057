import { Fault } from '../kernel/faults.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import type { HttpClient } from './http-client.ts'
import type { PinStore } from './pin-sites.ts'
import { pinNetwork } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/**
 * Takes up the network's name and keys: as they are when it is first seen, later as far as its own rotations lead from those.
 *
 * @throws Fault `fault.peer_refused` when they do not, or the key was pinned by hand
 */
export async function followNetwork(
  client: Pick<HttpClient, 'call' | 'server'>,
  pins: PinStore,
): Promise<PinnedKeys> {
  const pinned = await pins.read()
  const next = pinNetwork(pinned, await client.call(NETWORK_API.network))
  if (!next.ok) throw keysChanged(client.server.url, pinned.network?.isByHand === true)
  if (JSON.stringify(next.value.network) !== JSON.stringify(pinned.network)) await pins.write(next.value)
  return next.value
}

function keysChanged(url: string, isByHand: boolean): Fault {
  const why = isByHand
    ? 'its key is not the one that was pinned by hand; compare the new one with its operator and pin it'
    : 'its keys are not the ones seen before and no rotation signed by those leads to them; ask its operator'
  return new Fault('fault.peer_refused', { what: `Cannot trust the network at ${url}: ${why}` })
}
