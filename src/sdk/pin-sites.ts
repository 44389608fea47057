import { Fault } from '../kernel/faults.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'
import { pinSite } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/** Where pinned keys are kept between runs. */
export interface PinStore {
  read(): Promise<PinnedKeys>
  write(pinned: PinnedKeys): Promise<void>
}

/** Takes up the present keys of some sites, as far as the ones seen before lead to them. */
export async function pinSites(
  { client, pins }: { readonly client: HttpClient; readonly pins: PinStore },
  wanted: ReadonlySet<string>,
): Promise<PinnedKeys> {
  let pinned = await pins.read()
  if (wanted.size === 0) return pinned
  const records = await collectPages((cursor) =>
    client.call(NETWORK_API.listSites, { query: { cursor, limit: 200 } }),
  )
  for (const record of records.filter(({ id }) => wanted.has(id))) {
    const next = pinSite(pinned, record)
    if (!next.ok) throw keysChanged(record.id)
    pinned = next.value
  }
  await pins.write(pinned)
  return pinned
}

function keysChanged(site: string): Fault {
  return new Fault('fault.peer_refused', {
    what: `Cannot seal to site "${site}": its keys are not the ones seen before and no rotation signed by it leads to them; ask its operator`,
  })
}
