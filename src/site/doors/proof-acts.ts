import { formatInstant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { MadeLately } from '../../kernel/made-lately.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import type { Receipt } from '../../protocol/proof/receipt.ts'
import { giveEvidence } from '../place/give-evidence.ts'
import type { StoredEvidence } from '../place/evidence-store.ts'
import type { SiteContext } from '../site-context.ts'
import type { Page } from './page-of.ts'
import type { EvidenceView, ReceiptListItem, SiteActs } from './site-acts.ts'

type ProofActs = Pick<
  SiteActs,
  'evidence' | 'giveEvidence' | 'listReceipts' | 'findReceipt' | 'checkpoint' | 'tile'
>

/** Evidence of place, receipts and the log, in the forms of the door. */
export function proofActs(site: SiteContext): ProofActs {
  return {
    evidence: () => Promise.resolve(evidenceView(site, site.evidence.current(site.clock.now()))),
    async giveEvidence(jws) {
      const { db, clock, territory, keys } = site
      const stored = await giveEvidence(
        {
          db,
          clock,
          territory,
          store: site.evidence,
          receipts: site.log,
          site: site.site,
          operatorKey: keys.operator.publicJwk,
        },
        jws,
      )
      await site.log.publish()
      site.events.evidenceGiven({ validUntil: formatInstant(stored.evidence.validUntil) })
      return evidenceView(site, stored)
    },
    listReceipts: (request) => listReceipts(site, request),
    async findReceipt({ sequence, issuer }) {
      const bundle = await site.log.bundle(sequence).catch((error: unknown) => {
        if (error instanceof Fault && error.code === 'fault.not_found') return undefined
        throw error
      })
      if (!bundle) return undefined
      const own = ownDataSets(site, issuer)
      return isVisible(receiptOf(bundle.receipt), own) ? bundle : undefined
    },
    checkpoint: () => site.log.checkpoint(),
    tile: (path) => site.log.readTile(`tile/${path}`),
  }
}

async function listReceipts(
  site: SiteContext,
  { cursor, limit, issuer, kind }: Parameters<SiteActs['listReceipts']>[0],
): Promise<Page<ReceiptListItem>> {
  const own = ownDataSets(site, issuer)
  const items: ReceiptListItem[] = []
  let after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : -1
  for (;;) {
    // A few more than are wanted: hardly any are of somebody else, and those that are cost no second look.
    const asked = limit - items.length + FEW
    const rows = await site.log.list({ after, limit: asked, kind })
    for (const { sequence, jws } of rows) {
      const receipt = receipts.of(jws)
      if (!isVisible(receipt, own)) continue
      if (items.length === limit) return { items, nextCursor: String(after) }
      items.push({ sequence, kind: receipt.kind, time: formatInstant(receipt.time), receipt: jws })
      after = sequence
    }
    after = rows.at(-1)?.sequence ?? after
    if (rows.length < asked) return { items }
    if (items.length === limit) return { items, nextCursor: String(after) }
  }
}

/** Receipts that are read beyond those that are wanted, so that a long stretch of others' is not gone through one by one either. */
const FEW = 20

/** Data sets of an issuer; `undefined`: the operator, who sees every receipt. */
function ownDataSets(site: SiteContext, issuer: string | undefined): ReadonlySet<string> | undefined {
  if (issuer === undefined) return undefined
  const all = site.dataSets().map(({ manifest }) => manifest)
  return new Set(all.filter((manifest) => manifest.issuer === issuer).map(({ dataSet }) => dataSet))
}

function isVisible({ dataSet }: Receipt, own: ReadonlySet<string> | undefined): boolean {
  return own === undefined || (dataSet !== undefined && own.has(dataSet))
}

/** Lists begin with the same ones again and again: 2 MB. */
const RECEIPTS_KEPT = 2_048
const receipts = new MadeLately(receiptOf, RECEIPTS_KEPT)

function receiptOf(jws: string): Receipt {
  return receiptSchema.parse(JSON.parse(peekJws(jws)?.payload ?? 'null'))
}

function evidenceView({ clock }: SiteContext, stored: StoredEvidence | undefined): EvidenceView {
  if (!stored) return { state: 'missing' }
  const { evidence, digest } = stored
  const now = clock.now()
  const state = evidence.validFrom > now ? 'not_yet_valid' : evidence.validUntil <= now ? 'expired' : 'valid'
  const { kind, territory, longitude, latitude, validFrom, validUntil } = evidence
  return {
    state,
    kind,
    territory,
    longitude,
    latitude,
    validFrom: formatInstant(validFrom),
    validUntil: formatInstant(validUntil),
    digest,
  }
}
