import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { sealTo } from '../../kernel/crypto/jwe.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import { ASKED_OF } from '../../protocol/rights/recipient-notice.ts'
import type { WireRecipientNotice } from '../../protocol/rights/recipient-notice.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import { mayStillHaveRows } from '../asks/may-still-have-rows.ts'
import { pseudonymOf } from '../guard/pseudonym.ts'
import { sizeClassOf } from '../guard/seal-release.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText } from '../vault/keys/person-text.ts'
import type { NoticeRecord } from './recipient-notice-store.ts'

/** A notice as it goes out. */
export interface SignedNotice {
  /** The signed text; only its digest is kept. */
  readonly digest: Digest
  readonly sealed: string
  readonly sealedTo: string
}

/**
 * Signs a notice and seals it to its recipient, padded to a size class, so that the network learns neither whom nor what
 * it is about. The same notice gives the same signed text while the recipient may be told the same.
 */
export async function signNotice(
  site: SiteContext,
  { record, member, sealingKey }: { record: NoticeRecord; member: MemberRecord; sealingKey: PublicJwk },
): Promise<SignedNotice> {
  const { keys } = site
  const { acquirer, purpose, dataSet, corrected, lifts } = record
  const values = await valuesFor(site, { record, member })
  const notice: WireRecipientNotice = {
    notice: record.notice,
    site: site.site,
    acquirer,
    kind: record.kind,
    asked: ASKED_OF[record.kind],
    time: formatInstant(record.notedAt),
    purpose,
    dataSet,
    pseudonym: pseudonymOf(record.knownAs, { key: keys.pseudonym, acquirer, purpose, dataSet }),
    releases: [...record.releases],
    ...(corrected === undefined
      ? {}
      : {
          correction: {
            dataSet: corrected.dataSet,
            columns: [...corrected.columns],
            ...(values === undefined ? {} : { values }),
          },
        }),
    ...(lifts === undefined ? {} : { lifts: formatInstant(lifts) }),
  }
  const jws = signJws(canonicalJson(notice), { typ: TYP.recipientNotice, key: keys.signing })
  // Spaces after a JWS are no part of it; whoever opens it cuts them off.
  const padded = jws.padEnd(sizeClassOf(jws.length), ' ')
  return {
    digest: digestOf(jws),
    sealed: sealTo(sealingKey, { plaintext: padded, typ: TYP.sealedNotice }),
    sealedTo: keyIdOf(sealingKey),
  }
}

/**
 * What stands in the columns now, as far as the recipient was given them and might ask for them again this moment. Rows
 * that were picked by a column that it may not see are told without their values.
 */
async function valuesFor(
  site: SiteContext,
  { record, member }: { record: NoticeRecord; member: MemberRecord },
): Promise<{ set: ColumnValues; where: ColumnValues } | undefined> {
  const { body, corrected, person, knownAs, purpose, releaseTo } = record
  if (!body || !corrected) return undefined
  const key = (await site.personKeys.keyOf(site.db, person))?.reveal()
  const text = key && openPersonText(body, { key, use: record.notice })
  if (text === undefined) return undefined
  const { set, where } = JSON.parse(text) as { set: ColumnValues; where: ColumnValues }
  const columns = [...new Set([...corrected.columns, ...Object.keys(where)])]
  const use = { number: knownAs, dataSet: corrected.dataSet, columns, acquirer: member, purpose, releaseTo }
  if (!(await mayStillHaveRows(site, use))) return undefined
  const given = Object.entries(set).filter(([column]) => corrected.columns.includes(column))
  return { set: Object.fromEntries(given), where }
}
