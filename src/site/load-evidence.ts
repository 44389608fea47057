import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../kernel/digest.ts'
import { Fault } from '../kernel/faults.ts'
import type { Evidence } from '../protocol/proof/evidence.ts'
import { giveEvidence, requireBelievable } from './place/give-evidence.ts'
import type { ClaimedSite, EvidenceContext } from './place/give-evidence.ts'
import { whenMissing } from '../kernel/when-missing.ts'

/** Where `hedgerow site evidence` lays a statement for a site that does not run. */
const EVIDENCE_FILE = 'evidence.jws'

/**
 * Takes up the statement of place that was laid beside the site, if it is new; then there must be one. A site without
 * any never serves. One whose statement has expired does, so that it can be renewed, and declines every ask.
 *
 * @throws Fault `fault.evidence_missing`
 */
export async function loadEvidence(root: string, context: EvidenceContext): Promise<void> {
  const text = await readFile(join(root, EVIDENCE_FILE), 'utf8').catch(whenMissing(undefined))
  const jws = text?.trim()
  if (jws !== undefined && jws !== '' && context.store.find(digestOf(jws)) === undefined)
    await giveEvidence(context, jws)
  if (context.store.current(context.clock.now()) === undefined) {
    throw new Fault('fault.evidence_missing', {
      what: 'Cannot serve: the site has no location evidence; give it with "hedgerow site evidence --longitude … --latitude …"',
    })
  }
}

/**
 * Refuses a claim of place before it is signed, by the checks that the site makes when it takes it.
 *
 * @throws Fault `fault.request_malformed` with the fields
 */
export function examineClaim(claim: Evidence, site: ClaimedSite): void {
  requireBelievable(claim, site)
}
