import type { z } from 'zod'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Money } from '../../kernel/money.ts'
import type { clearingRecordSchema } from '../../protocol/money/clearing-record.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { MeteredUnits } from '../../protocol/money/tariff.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { AskId, MemberId, SiteId } from '../../protocol/wire.ts'

/** What was delivered, to whom, and what it costs. */
export interface ClearingFacts {
  readonly ask: AskId
  readonly site: SiteId
  readonly acquirer: MemberId
  readonly manifest: Pick<Manifest, 'dataSet' | 'issuer' | 'issuerProcessor' | 'splits'>
  readonly units: MeteredUnits
  readonly price: Money
  readonly releaseDigest: Digest
  readonly now: Instant
}

/** The signed advice that completes an authorisation (ISO 8583); the network captures it once. */
export function makeClearingRecord(
  { ask, site, acquirer, manifest, units, price, releaseDigest, now }: ClearingFacts,
  key: KeyPair,
): string {
  const record: z.input<typeof clearingRecordSchema> = {
    ask,
    site,
    acquirer,
    dataSet: manifest.dataSet,
    issuer: manifest.issuer,
    ...(manifest.issuerProcessor === undefined ? {} : { issuerProcessor: manifest.issuerProcessor }),
    units: { ...units },
    price: wireMoney(price),
    splits: manifest.splits,
    releaseDigest,
    time: formatInstant(now),
  }
  return signJws(canonicalJson(record), { typ: TYP.clearingRecord, key })
}
