import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { readManifest } from '../cli/site/dataset.ts'
import { WrongUse } from '../cli/failures.ts'
import type { Session } from '../cli/session.ts'
import { formatDate } from '../kernel/clock.ts'
import { digestOf } from '../kernel/digest.ts'
import { makeDirectory } from '../kernel/make-directory.ts'
import { parseYaml } from '../kernel/yaml.ts'
import type { WireGrant, WireManifest } from '../sdk/issuer.ts'
import { ISSUER, SITES } from './demo-parties.ts'
import type { DemoSite } from './demo-parties.ts'
import { GRANTS_SEED, grantsOf } from './generate-grants.ts'
import { splitAthletes } from './split-athletes.ts'
import type { Athlete } from './split-athletes.ts'

export const DATA_SET = 'athletes'

/** What one site of the demonstration is given. */
export interface SiteLoad {
  readonly site: DemoSite
  readonly manifest: WireManifest
  /** The part of the file, written under the home directory. */
  readonly file: string
  /** Named by contents: the same file is taken once. */
  readonly batch: string
  readonly athletes: readonly Athlete[]
  readonly grants: readonly WireGrant[]
  /** Changes when the grants would. */
  readonly grantsDigest: string
}

/** Splits the athletes among the sites, and makes up their grants. */
export async function prepareLoads(session: Session): Promise<readonly SiteLoad[]> {
  const today = formatDate(session.clock.now())
  const parts = splitAthletes(await readAthletes(), today)
  const directory = join(session.home, 'demo')
  makeDirectory(directory)
  const loads: SiteLoad[] = []
  for (const site of SITES) {
    const part = parts[site.id]
    const file = join(directory, `athletes-${site.id}.csv`)
    await writeFile(file, part.csv, { mode: 0o600 })
    const grants = part.athletes.flatMap((athlete) =>
      grantsOf(athlete, { dataSet: DATA_SET, siteCountry: site.territory, today }),
    )
    loads.push({
      site,
      manifest: await manifestOf(site),
      file,
      batch: digestOf(part.csv).slice(0, 40),
      athletes: part.athletes,
      grants,
      grantsDigest: digestOf(`${GRANTS_SEED} ${JSON.stringify(grants)}`),
    })
  }
  return loads
}

/** The children for whom a guardian gave a grant. */
export function childrenWithGuardians({ grants }: SiteLoad): readonly string[] {
  return [...new Set(grants.filter(({ givenBy }) => givenBy === 'guardian').map(({ person }) => person))]
}

/** The athlete who withdraws: the first adult with known measures whom the insurers' answer includes. */
export function whoWithdraws({ athletes, grants }: SiteLoad): Athlete {
  const open = new Set(
    grants
      .filter((grant) => 'anyone' in grant.grantee && grant.columns === undefined && grant.givenBy === 'self')
      .map(({ person }) => person),
  )
  const found = athletes.find(
    ({ key, isMeasured, birthDate }) => isMeasured && birthDate < '1990' && open.has(key),
  )
  if (!found) throw new Error('No athlete of the demonstration can withdraw')
  return found
}

async function manifestOf({ id }: DemoSite): Promise<WireManifest> {
  const manifest = await readManifest(fileURLToPath(new URL('manifests/athletes.yaml', import.meta.url)))
  const perimeters = parseYaml(await readFile(new URL('manifests/perimeters.yaml', import.meta.url), 'utf8'))
  const all: unknown = perimeters.ok ? perimeters.value : undefined
  const perimeter: unknown =
    typeof all === 'object' && all !== null
      ? Object.entries(all).find(([site]) => site === id)?.[1]
      : undefined
  if (!isPerimeter(perimeter)) throw new Error(`No perimeter for "${id}"`)
  return { ...manifest, issuer: ISSUER, perimeter }
}

function isPerimeter(value: unknown): value is WireManifest['perimeter'] {
  return (
    typeof value === 'object' &&
    value !== null &&
    'store' in value &&
    'process' in value &&
    'release' in value
  )
}

async function readAthletes(): Promise<string> {
  try {
    return await readFile(
      createRequire(import.meta.url).resolve('@observablehq/sample-datasets/olympians.csv'),
      'utf8',
    )
  } catch {
    throw new WrongUse(
      'The demonstration needs the package @observablehq/sample-datasets, which a checkout installs with "make install"',
    )
  }
}
