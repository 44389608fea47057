import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { parseYaml } from '../../../src/kernel/yaml.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'

const DEMO = new URL('../../../src/demo/', import.meta.url)

function manifestOf(path: string) {
  const read = parseYaml(readFileSync(new URL(path, DEMO), 'utf8'))
  assert.ok(read.ok)
  return manifestSchema.parse(read.value)
}

const studies = readdirSync(new URL('studies/manifests/', DEMO)).map((name) => `studies/manifests/${name}`)

/** What the demonstration and the studies declare of their data, by name. */
export const demoDataSets = new Map(
  ['manifests/athletes.yaml', ...studies].map(manifestOf).map((manifest) => [manifest.dataSet, manifest]),
)
