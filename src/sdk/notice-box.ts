import { canonicalJson } from '../kernel/canonical-json.ts'
import { formatInstant } from '../kernel/clock.ts'
import { openSealed } from '../kernel/crypto/jwe.ts'
import { signJws } from '../kernel/crypto/jws.ts'
import { digestOf } from '../kernel/digest.ts'
import type { Digest } from '../kernel/digest.ts'
import { Fault } from '../kernel/faults.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import type { carriedNoticeSchema } from '../protocol/http/notice-api.ts'
import { readRecipientNotice } from '../protocol/rights/recipient-notice.ts'
import type {
  AcknowledgedOutcome,
  KEPT_GROUNDS,
  RecipientNotice,
  WireAcknowledgement,
} from '../protocol/rights/recipient-notice.ts'
import type { z } from 'zod'
import type { AcquirerParts } from './acquirer.ts'
import { collectPages } from './collect-pages.ts'
import { pinSites } from './pin-sites.ts'
import { signingKeysOf } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

type CarriedNotice = z.output<typeof carriedNoticeSchema>

/** A notice as its recipient has it: opened and verified, or what is wrong with it. */
export interface ReceivedNotice {
  readonly carried: CarriedNotice
  /** Absent once it is acknowledged, and where it does not hold. */
  readonly notice: RecipientNotice | undefined
  /** Of the signed text: what an acknowledgement names. */
  readonly digest: Digest | undefined
  readonly problem: string | undefined
}

/** What the recipient did. */
export interface NoticeAnswer {
  readonly outcome: AcknowledgedOutcome
  /** Where rows are kept: the ground of GDPR Art. 17(3). */
  readonly ground?: (typeof KEPT_GROUNDS)[number] | undefined
}

/** What sites tell a member that they gave rows to, and its answers. */
export interface NoticeBox {
  /** Those that wait for an answer, or all. */
  list(state?: 'open' | 'all'): Promise<readonly ReceivedNotice[]>
  /** Signs and sends an answer. Only a notice that was opened and verified can be answered. */
  acknowledge(received: ReceivedNotice, answer: NoticeAnswer): Promise<CarriedNotice>
}

type NoticeBoxParts = Pick<
  AcquirerParts,
  'client' | 'member' | 'signing' | 'sealing' | 'retiredSealing' | 'pins' | 'clock'
>

/** A member's notices at a network. */
export function openNoticeBox(parts: NoticeBoxParts): NoticeBox {
  const { client, member, signing, clock } = parts
  return {
    async list(state = 'open') {
      const carried = await collectPages((cursor) =>
        client.call(NETWORK_API.listNotices, { query: { state, cursor, limit: 200 } }),
      )
      const sealed = carried.filter((one) => one.sealed !== undefined)
      const pinned = await pinSites(parts, new Set(sealed.map(({ site }) => String(site))))
      return carried.map((one) => received(one, { parts, pinned }))
    },
    async acknowledge({ carried, notice, digest, problem }, { outcome, ground }) {
      if (!notice || digest === undefined)
        throw new Fault('fault.conflict', {
          what: `Cannot acknowledge ${carried.notice}: ${problem ?? 'it was acknowledged before'}`,
        })
      const said: WireAcknowledgement = {
        notice: notice.notice,
        site: notice.site,
        acquirer: member,
        digest,
        outcome,
        ...(ground === undefined ? {} : { ground }),
        time: formatInstant(clock.now()),
      }
      const acknowledgement = signJws(canonicalJson(said), { typ: TYP.acknowledgement, key: signing })
      return client.call(NETWORK_API.acknowledgeNotice, {
        params: { notice: notice.notice },
        body: { acknowledgement },
        isRepeatable: true,
      })
    },
  }
}

function received(
  carried: CarriedNotice,
  { parts, pinned }: { parts: NoticeBoxParts; pinned: PinnedKeys },
): ReceivedNotice {
  const nothing = { carried, notice: undefined, digest: undefined }
  if (carried.sealed === undefined) return { ...nothing, problem: undefined }
  const jws = openNotice(carried.sealed, parts)
  if (jws === undefined) return { ...nothing, problem: 'it cannot be opened with the key of this member' }
  const notice = readRecipientNotice(jws, signingKeysOf(pinned, carried.site))
  const isOfThis =
    notice?.notice === carried.notice && notice.site === carried.site && notice.acquirer === parts.member
  if (!isOfThis) return { ...nothing, problem: 'it is not signed by the site for this member' }
  return { carried, notice, digest: digestOf(jws), problem: undefined }
}

function openNotice(sealed: string, { sealing, retiredSealing = [] }: NoticeBoxParts): string | undefined {
  for (const key of [sealing, ...retiredSealing]) {
    const opened = openSealed(sealed, { key, typ: TYP.sealedNotice })
    if (opened) return Buffer.from(opened).toString('latin1').trimEnd()
  }
  return undefined
}
