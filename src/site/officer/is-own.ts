import type { DataSetId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'

/** Whether a data set in force is an issuer's, or any (absent: the operator asks). */
export function isOwn(site: SiteContext, dataSet: DataSetId, issuer: string | undefined): boolean {
  const manifest = site.manifests().get(dataSet)
  return manifest !== undefined && (issuer === undefined || manifest.issuer === issuer)
}
