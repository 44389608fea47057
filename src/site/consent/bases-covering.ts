import type { Database } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Vault } from '../vault/vault.ts'
import { basesListing, readBasesUncounted } from './basis-store.ts'
import type { UncountedBasis } from './basis-store.ts'

interface Parts {
  readonly db: Database
  readonly vault: Pick<Vault, 'people'>
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
}

/** Records that cover one of some people, who are in the data sets: ended ones are not among them. How many more they list is not told. */
export async function basesCovering(
  site: Parts,
  people: readonly number[],
): Promise<readonly UncountedBasis[]> {
  const standing = (await readBasesUncounted(site.db)).filter(({ end }) => end === undefined)
  const isListing = standing.some(({ facts }) => facts.people === 'listed')
  const listing = isListing ? await basesListing(site.db, people) : new Set<string>()
  const covering: UncountedBasis[] = []
  for (const basis of standing) {
    if (basis.facts.people === 'listed' ? listing.has(basis.id) : await isInOne(site, basis, people))
      covering.push(basis)
  }
  return covering
}

async function isInOne(
  { vault, manifests }: Parts,
  { facts }: UncountedBasis,
  people: readonly number[],
): Promise<boolean> {
  for (const dataSet of facts.dataSets) {
    if (!manifests().has(dataSet)) continue
    const inside = await vault.people(dataSet)
    if (people.some((person) => inside.has(person))) return true
  }
  return false
}
