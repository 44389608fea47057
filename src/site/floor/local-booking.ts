import { Fault } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Decline } from '../../protocol/reason.ts'
import { bookOnLimit } from './floor-store.ts'
import { keepLocalAsk } from './local-ask-store.ts'
import type { LocalAsk } from './local-ask-store.ts'

/** What an ask on the local network brings along beside what the network would have: its money, or why there is none. */
export interface LocalBooking {
  /** What the local checks found. */
  readonly decline: Decline | undefined
  readonly floorLimit: string | undefined
  /**
   * Books the price and keeps the ask, in the transaction of its answer and after it. Without a price nothing was delivered.
   *
   * @throws Fault `fault.internal` when the limit does not cover it, though it was set aside before
   */
  book(tx: DatabaseTransaction, priceMinor: bigint | undefined): Promise<void>
}

/** The booking of one ask. */
export function localBooking(
  ask: Omit<LocalAsk, 'priceMinor' | 'floorLimit'>,
  { decline, limit }: { decline: Decline | undefined; limit: string | undefined },
): LocalBooking {
  return {
    decline,
    floorLimit: limit,
    async book(tx, priceMinor) {
      const floorLimit = priceMinor === undefined ? undefined : limit
      if (
        priceMinor !== undefined &&
        (limit === undefined || !(await bookOnLimit(tx, { limit, priceMinor })))
      ) {
        throw new Fault('fault.internal', {
          what: 'Cannot book an ask on the floor limit that was set aside for it',
        })
      }
      await keepLocalAsk(tx, { ...ask, priceMinor, floorLimit })
    },
  }
}
