import type { PinStore } from '../sdk/pin-sites.ts'
import { NO_PINNED_KEYS } from '../sdk/pinned-keys.ts'

/** Pinned keys of a caller who has seen nobody yet, kept as long as the process lives. */
export function pinsInMemory(): PinStore {
  let pinned = { ...NO_PINNED_KEYS }
  return {
    read: () => Promise.resolve(pinned),
    write: (next) => {
      pinned = next
      return Promise.resolve()
    },
  }
}
