import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Manifest } from '../data-set.ts'

/**
 * The digest of what a person is told of a data set when they allow its use, as far as it is material: whose it is,
 * which columns with what in them, where it may be kept, worked on and used, how long, on what basis (GDPR Art. 4(11),
 * 13). A grant carries it; when the text is another, the grant authorises nothing until the person is asked again.
 * Price is not in it: a grant has a least price of its own.
 */
export function consentTextDigest(manifest: Manifest, columns?: readonly string[]): Digest {
  const known = digests.get(manifest) ?? new Map<string, Digest>()
  digests.set(manifest, known)
  const name = columns === undefined ? '' : JSON.stringify(columns)
  const digest = known.get(name) ?? digestOfJson(materialText(manifest, columns))
  known.set(name, digest)
  return digest
}

/** A manifest is never changed, a new one takes its place; so its digests hold as long as it does. */
const digests = new WeakMap<Manifest, Map<string, Digest>>()

function materialText(manifest: Manifest, columns: readonly string[] | undefined): unknown {
  const { issuer, title, perimeter, retention, legalBasis, specialCategoryBasis } = manifest
  const covered = manifest.columns.filter(({ name }) => columns?.includes(name) ?? true)
  return {
    issuer,
    title,
    columns: covered.map(({ name, description, category, sensitivity }) => ({
      name,
      sensitivity,
      ...(description === undefined ? {} : { description }),
      ...(category === undefined ? {} : { category }),
    })),
    perimeter,
    retention,
    legalBasis,
    ...(specialCategoryBasis === undefined ? {} : { specialCategoryBasis }),
  }
}
