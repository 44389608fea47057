import { STUDIES, readStudyManifest } from '../../../src/demo/studies/studies.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'

/** The manifests of every study at a site, as its catalogue has them. */
export async function manifestsAt(site: string): Promise<ReadonlyMap<Manifest['dataSet'], Manifest>> {
  const found = new Map<Manifest['dataSet'], Manifest>()
  for (const study of STUDIES.filter((one) => one.site === site)) {
    for (const { dataSet } of study.dataSets) {
      const { manifest } = await readStudyManifest(dataSet)
      found.set(manifest.dataSet, manifest)
    }
  }
  return found
}
