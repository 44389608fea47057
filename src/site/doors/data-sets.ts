import { Fault } from '../../kernel/faults.ts'
import { bodyOf } from '../../kernel/http/request-body.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { notFound, requireOperator, requireStaff, requireSteward } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/datasets`: for the operator and, each its own, for issuers. */
export function serveDataSets(door: Door<SiteCaller>, acts: SiteActs): void {
  const requireOwn = async (caller: SiteCaller, dataSet: DataSetId) => {
    requireStaff(caller)
    const found = await acts.findDataSet(dataSet)
    if (!found) throw notFound()
    requireSteward(caller, found.manifest.issuer)
    return found
  }
  door.serve(SITE_API.listDataSets, ({ caller, query }) =>
    acts.listDataSets({ ...query, ...requireStaff(caller) }),
  )
  door.serve(SITE_API.describeDataSet, ({ caller, body: { manifest } }) => {
    const { issuer } = requireStaff(caller)
    if (issuer !== undefined && issuer !== manifest.issuer) {
      throw new Fault('fault.forbidden', { what: 'The manifest names another issuer' })
    }
    return acts.describeDataSet(manifest)
  })
  door.serve(SITE_API.dataSet, async ({ caller, params }) => {
    const { manifest } = await requireOwn(caller, params.dataSet)
    return { ...(await acts.viewDataSet(params.dataSet)), manifest }
  })
  door.serve(SITE_API.retireDataSet, async ({ caller, params }) => {
    await requireOwn(caller, params.dataSet)
    return acts.retireDataSet(params.dataSet)
  })
  door.serve(SITE_API.importBatch, async ({ caller, params, query, raw, signal }) => {
    await requireOwn(caller, params.dataSet)
    if (!raw.body)
      throw new Fault('fault.request_malformed', { what: 'Cannot import: the request has no body' })
    const { batch, format, ...form } = query
    return acts.importBatch({ ...params, batch, format, form, file: bodyOf(raw), signal })
  })
  door.serve(SITE_API.importRows, async ({ caller, params, body }) => {
    const { manifest, manifestDigest: policy } = await requireOwn(caller, params.dataSet)
    return acts.importRows({ ...body, manifest, policy })
  })
  door.serve(SITE_API.columnUses, async ({ caller, params }) => {
    const { manifest } = await requireOwn(caller, params.dataSet)
    return acts.columnUses(manifest)
  })
  door.serve(SITE_API.explainQuestion, ({ caller, body }) => {
    requireOperator(caller)
    return acts.explainQuestion(body)
  })
  door.serve(SITE_API.listBatches, async ({ caller, params, query }) => {
    await requireOwn(caller, params.dataSet)
    return acts.listBatches({ ...query, ...params })
  })
}
