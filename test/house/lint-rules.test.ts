import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintPlanted } from './planted-project.ts'
import type { Complaint } from './planted-project.ts'

interface Planted {
  readonly rule: string
  readonly path: string
  readonly text: string
}

const longBody = Array.from({ length: 72 }, (_, line) => `  total += ${line}`).join('\n')
const longFile = Array.from({ length: 401 }, (_, line) => `export const value${line} = ${line}`).join('\n')

/** Each violates exactly the rule it names. */
const violations: readonly Planted[] = [
  { rule: 'no-restricted-globals', path: 'src/site/read-date.ts', text: 'export const time = Date.now()\n' },
  {
    rule: 'no-restricted-globals',
    path: 'src/site/wait.ts',
    text: 'export const wait = () => setTimeout(() => {}, 1)\n',
  },
  {
    rule: 'no-restricted-globals',
    path: 'src/kernel/repeat.ts',
    text: 'export const wait = () => setInterval(() => {}, 1)\n',
  },
  {
    rule: 'no-restricted-imports',
    path: 'src/network/sleep.ts',
    text: "import { setTimeout as sleep } from 'node:timers/promises'\n\nexport const nap = () => sleep(1)\n",
  },
  {
    rule: 'no-restricted-properties',
    path: 'src/site/draw.ts',
    text: 'export const drawn = Math.random()\n',
  },
  {
    rule: 'no-restricted-properties',
    path: 'src/sdk/name-it.ts',
    text: 'export const id = crypto.randomUUID()\n',
  },
  { rule: 'no-default-export', path: 'src/site/default-thing.ts', text: 'export default 1\n' },
  { rule: 'no-barrel-file', path: 'src/site/everything.ts', text: "export * from './plain.ts'\n" },
  {
    rule: 'no-console',
    path: 'src/network/print-it.ts',
    text: "console.log('planted')\n\nexport const printed = true\n",
  },
  { rule: 'filename-case', path: 'src/site/camelCase.ts', text: 'export const one = 1\n' },
  {
    rule: 'max-lines-per-function',
    path: 'src/site/long-function.ts',
    text: `export function longFunction(): number {\n  let total = 0\n${longBody}\n  return total\n}\n`,
  },
  { rule: 'max-lines', path: 'src/site/long-file.ts', text: `${longFile}\n` },
  { rule: 'max-lines', path: 'test/site/long-file.test.ts', text: `${longFile}\n` },
  {
    rule: 'max-params',
    path: 'src/site/many-parameters.ts',
    text: 'export const sum = (a: number, b: number, c: number, d: number, e: number) => a + b + c + d + e\n',
  },
  { rule: 'no-explicit-any', path: 'src/site/any-thing.ts', text: 'export const thing: any = 1\n' },
  {
    rule: 'no-non-null-assertion',
    path: 'src/site/sure-thing.ts',
    text: 'export const first = (list: readonly string[]) => list[0]!\n',
  },
  {
    rule: 'switch-exhaustiveness-check',
    path: 'src/site/half-switch.ts',
    text: "export function half(way: 'in' | 'out'): number {\n  switch (way) {\n    case 'in':\n      return 1\n  }\n  return 2\n}\n",
  },
  {
    rule: 'no-floating-promises',
    path: 'src/site/floating.ts',
    text: 'async function act(): Promise<void> {}\n\nexport function forget(): void {\n  act()\n}\n',
  },
  {
    rule: 'no-cycle',
    path: 'src/site/left.ts',
    text: "import { right } from './right.ts'\n\nexport const left = (): number => right()\n",
  },
  {
    rule: 'no-cycle',
    path: 'src/site/right.ts',
    text: "import { left } from './left.ts'\n\nexport const right = (): number => left()\n",
  },
  {
    rule: 'extensions',
    path: 'src/site/no-extension.ts',
    text: "import { plain } from './plain'\n\nexport const copy = plain\n",
  },
  {
    rule: 'no-process-env',
    path: 'src/site/vault/read-setting.ts',
    text: 'export const home = process.env.HOME\n',
  },
  {
    rule: 'consistent-type-imports',
    path: 'src/site/type-import.ts',
    text: "import { Plain } from './plain.ts'\n\nexport const copy: Plain = 1\n",
  },
]

/** Each is the lawful twin of a violation: the same act where, or as, it is allowed. */
const lawful: Readonly<Record<string, string>> = {
  'src/site/plain.ts': 'export type Plain = number\n\nexport const plain: Plain = 1\n',
  'src/kernel/clock.ts':
    'export const time = Date.now()\n\nexport const wait = () => setTimeout(() => {}, 1)\n',
  'src/kernel/random.ts': 'export const drawn = Math.random()\n',
  'src/cli/print-it.ts': "console.log('lawful')\n\nexport const home = process.env.HOME\n",
  'src/site/config.ts': 'export const home = process.env.HOME\n',
  'bench/measure.ts': 'console.log(performance.now(), process.env.SCALE)\n',
  'scripts/stamp.ts': 'console.log(Date.now())\n',
  'test/plain.test.ts':
    "import { describe, it, test } from 'node:test'\n\ntest('a', async () => {})\ndescribe('b', () => {\n  it('c', async () => {})\n})\n",
  'src/site/a-table.ts': `/* oxlint-disable max-lines -- a table */\n${longFile}\n`,
  'src/site/whole-switch.ts':
    "export function whole(way: 'in' | 'out'): number {\n  switch (way) {\n    case 'in':\n      return 1\n    case 'out':\n      return 2\n  }\n}\n",
}

const complaints = lintPlanted({
  ...lawful,
  ...Object.fromEntries(violations.map(({ path, text }) => [path, text])),
})

function rulesBrokenBy(path: string): string[] {
  return [
    ...new Set(complaints.filter((complaint: Complaint) => complaint.path === path).map(({ rule }) => rule)),
  ]
}

for (const { rule, path } of violations) {
  test(`lint: ${rule} is reported in ${path}`, () => {
    assert.deepEqual(rulesBrokenBy(path), [rule])
  })
}

for (const path of Object.keys(lawful)) {
  test(`lint: nothing is reported in ${path}`, () => {
    assert.deepEqual(rulesBrokenBy(path), [])
  })
}
