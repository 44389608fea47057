import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { manifestSchema } from '../../protocol/data-set.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { HttpClient } from '../../sdk/http-client.ts'
import type { WireManifest } from '../../sdk/issuer.ts'
import { readManifest } from '../site/dataset.ts'
import { WrongUse, isNotFound } from '../failures.ts'

/** One term of a data set that is not as the file says. Absent on a side: not there. */
export interface TermChange {
  readonly field: string
  readonly from?: string
  readonly to?: string
}

/** What applying a manifest would do. */
export interface PlannedPolicy {
  readonly file: string
  readonly dataSet: string
  readonly title: string
  readonly action: 'add' | 'change' | 'none'
  readonly changes: readonly TermChange[]
  readonly manifest: WireManifest
}

/** The manifests at paths: files, or all of a directory but tests (`….test.yaml`). */
export async function manifestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = []
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) {
      files.push(path)
      continue
    }
    const names = (await readdir(path)).filter(
      (name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name),
    )
    files.push(...names.toSorted().map((name) => join(path, name)))
  }
  if (files.length === 0) throw new WrongUse(`There is no manifest (*.yaml) in ${paths.join(', ')}`)
  return files
}

/** Compares manifests in files with what is in force at a site. */
export async function planPolicy(
  client: HttpClient,
  files: readonly string[],
): Promise<readonly PlannedPolicy[]> {
  const planned: PlannedPolicy[] = []
  for (const file of files) {
    const manifest = await readManifest(file)
    const { dataSet, title } = manifest
    if (planned.some((other) => other.dataSet === dataSet))
      throw new WrongUse(`Cannot plan "${file}": another file describes "${dataSet}" too`)
    const present = await presentManifest(client, dataSet)
    const changes = present === undefined ? [] : changesOf(termsOf(present), termsOf(manifest))
    const action = present === undefined ? 'add' : changes.length > 0 ? 'change' : 'none'
    planned.push({ file, dataSet, title, action, changes, manifest })
  }
  return planned
}

async function presentManifest(client: HttpClient, dataSet: string): Promise<unknown> {
  const found = await client.call(SITE_API.dataSet, { params: { dataSet } }).catch((thrown: unknown) => {
    if (isNotFound(thrown)) return undefined
    throw thrown
  })
  if (found?.state === 'retired')
    throw new WrongUse(`Cannot plan for "${dataSet}": it is retired; describe the data under another name`)
  return found?.manifest
}

/** Terms by their paths, columns by their names, defaults written out: what can be compared. */
function termsOf(manifest: unknown): ReadonlyMap<string, string> {
  const terms = new Map<string, string>()
  collect(manifestSchema.parse(manifest), '', terms)
  return terms
}

function collect(value: unknown, path: string, terms: Map<string, string>): void {
  if (Array.isArray(value) && value.every(isNamed)) {
    for (const item of value) collect(item, `${path}.${item.name}`, terms)
    return
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value))
      collect(inner, path === '' ? name : `${path}.${name}`, terms)
    return
  }
  if (value !== undefined) terms.set(path, canonicalJson(value))
}

function isNamed(item: unknown): item is { readonly name: string } {
  return typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string'
}

function changesOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly TermChange[] {
  const fields = [...new Set([...before.keys(), ...after.keys()])]
  return fields.flatMap((field) => {
    const [from, to] = [before.get(field), after.get(field)]
    if (from === to) return []
    return [{ field, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }]
  })
}
