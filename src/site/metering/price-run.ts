import { formatMoney } from '../../kernel/money.ts'
import type { Money } from '../../kernel/money.ts'
import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { priceOf } from '../../protocol/money/tariff.ts'
import type { MeteredUnits, Tariff } from '../../protocol/money/tariff.ts'

/**
 * The price of a run by the public tariff; the same class of ask costs the same for everybody (DGA Art. 12(b)).
 *
 * `highest` is what was held for this site, so that nothing is owed that is not there. Declines with `declined.limit`
 * when the price is above it or in another currency.
 */
export function priceRun(
  units: MeteredUnits,
  { tariff, highest }: { tariff: Tariff; highest: Money },
): Outcome<Money> {
  if (highest.currency !== tariff.currency)
    return declined('declined.limit', { detail: `The price is in ${tariff.currency}` })
  const price = priceOf(units, tariff)
  // The price itself would tell the step of the people; the tariff's bounds are public.
  if (price.amountMinor > highest.amountMinor)
    return declined('declined.limit', {
      detail: `A run costs up to ${formatMoney({ amountMinor: BigInt(tariff.capMinor), currency: tariff.currency })}`,
    })
  return ok(price)
}
