import type { Database } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Vault } from '../vault/vault.ts'
import { basesListing, readBases } from './basis-store.ts'
import type { StoredBasis } from './basis-store.ts'

interface Parts {
  readonly db: Database
  readonly vault: Pick<Vault, 'people'>
  readonly manifests: () => ReadonlyMap<DataSetId, Manifest>
}

/** Records that cover one of some people, who are in the data sets: ended ones are not among them. */
export async function basesCovering(site: Parts, people: readonly number[]): Promise<readonly StoredBasis[]> {
  const listing = await basesListing(site.db, people)
  const covering: StoredBasis[] = []
  for (const basis of await readBases(site.db)) {
    if (basis.end !== undefined) continue
    if (basis.facts.people === 'listed' ? listing.has(basis.id) : await isInOne(site, basis, people))
      covering.push(basis)
  }
  return covering
}

async function isInOne(
  { vault, manifests }: Parts,
  { facts }: StoredBasis,
  people: readonly number[],
): Promise<boolean> {
  for (const dataSet of facts.dataSets) {
    if (!manifests().has(dataSet)) continue
    const inside = await vault.people(dataSet)
    if (people.some((person) => inside.has(person))) return true
  }
  return false
}
