import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintPlanted } from './planted-project.ts'

/** For each folder of `src`, the other folders it may import. Everything else is forbidden. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  protocol: ['kernel'],
  transparency: ['kernel', 'protocol'],
  sandbox: ['kernel', 'protocol'],
  site: ['kernel', 'protocol', 'transparency', 'sandbox'],
  network: ['kernel', 'protocol', 'transparency', 'sandbox'],
  sdk: ['kernel', 'protocol'],
  cli: ['kernel', 'protocol', 'transparency', 'sdk', 'demo', 'site', 'network'],
  demo: ['kernel', 'protocol', 'transparency', 'sdk', 'cli', 'site', 'network'],
}

const folders = [...Object.keys(allowedImports), 'simulator', 'testing']

/** The file that holds a planted import of `to` in `from`, two folders deep as most of ours are. */
function plantedPath(from: string, to: string): string {
  return `src/${from}/planted/import-${to}.ts`
}

function plantDirections(): Record<string, string> {
  const files: Record<string, string> = {}
  for (const to of folders) {
    files[`src/${to}/target.ts`] = 'export const target = 1\n'
    files[`src/${to}/inner/target.ts`] = 'export const target = 1\n'
    for (const from of folders) {
      if (from === to) continue
      files[plantedPath(from, to)] =
        `import { target } from '../../${to}/target.ts'\n\nexport const planted = target\n`
    }
  }
  for (const from of ['cli', 'demo']) {
    for (const server of ['site', 'network']) {
      files[`src/${from}/planted/inside-${server}.ts`] =
        `import { target } from '../../${server}/inner/target.ts'\n\nexport const planted = target\n`
    }
  }
  return files
}

test('import directions: every forbidden pair of folders is reported, and no other', () => {
  const expected = new Set<string>()
  for (const from of Object.keys(allowedImports)) {
    for (const to of folders) {
      if (from !== to && !allowedImports[from]?.includes(to)) expected.add(plantedPath(from, to))
    }
  }
  for (const from of ['cli', 'demo']) {
    for (const server of ['site', 'network']) expected.add(`src/${from}/planted/inside-${server}.ts`)
  }
  const complaints = lintPlanted(plantDirections())
  const reported = complaints.filter(({ rule }) => rule === 'no-restricted-imports').map(({ path }) => path)
  assert.deepEqual([...new Set(reported)].toSorted(), [...expected].toSorted())
})
