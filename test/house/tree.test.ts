import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { repositoryFiles, repositoryText } from './repository.ts'
import { bannedLines, importedPorts, unexplainedDisables, wrongName } from './tree-rules.ts'

const files = repositoryFiles()
const texts = files.flatMap((path) => {
  const text = repositoryText(path)
  return text === undefined ? [] : [{ path, text }]
})

describe('the tree', () => {
  test('names are kebab-case and say what is inside', () => {
    assert.deepEqual(
      files.flatMap((path) => wrongName(path) ?? []),
      [],
    )
  })

  test('no file holds a banned word, a machine path or a package host', () => {
    assert.deepEqual(
      texts.flatMap(({ path, text }) => bannedLines(path, text)),
      [],
    )
  })

  test('every rule that is switched off is named, with a reason', () => {
    assert.deepEqual(
      texts.flatMap(({ path, text }) => unexplainedDisables(path, text)),
      [],
    )
  })

  test('time, randomness and settings are imported by nobody but their own files', () => {
    assert.deepEqual(
      texts.flatMap(({ path, text }) => importedPorts(path, text)),
      [],
    )
  })
})

describe('planted names', () => {
  const wrong = [
    'src/site/fooBar.ts',
    'src/Site/foo.ts',
    'test/site/foo_bar.test.ts',
    'src/site/utils/sum.ts',
    'src/site/date-utils.ts',
    'src/helpers/sum.ts',
    'src/site/helpers.ts',
    'src/network/member-manager.ts',
  ]
  for (const path of wrong) test(`wrongName() reports ${path}`, () => assert.ok(wrongName(path)))

  const right = [
    'src/site/decide-use.ts',
    'test/site/decide-use.test.ts',
    'docs/decisions/0001-one-package.md',
    'README.md',
  ]
  for (const path of right) test(`wrongName() passes ${path}`, () => assert.equal(wrongName(path), undefined))
})

describe('planted words', () => {
  // Written in halves: this file too is read by the rules.
  const wrong: readonly (readonly [path: string, line: string])[] = [
    ['src/site/foo.ts', `// TO${''}DO later`],
    ['docs/page.md', `FIX${''}ME: say more`],
    ['README.md', `cd /wo${''}rk/main`],
    ['src/foo.ts', `const home = '/ho${''}me/someone/x'`],
    ['package-lock.json', `"resolved": "https://${['registry', 'np' + 'mjs', 'org'].join('.')}/zod"`],
    ['docs/page.md', `see https://${['www', 'np' + 'mjs', 'com'].join('.')}/package/zod`],
    ['test/foo.test.ts', `test.on${''}ly('x', () => {})`],
    ['test/foo.test.ts', `describe.sk${''}ip('x', () => {})`],
    ['src/site/foo.ts', 'await mkdir(join(a, b), { recursive: true })'],
    ['src/site/foo.ts', `read(new URL('a.yaml', import.meta.url).path${''}name)`],
  ]
  for (const [path, line] of wrong) {
    test(`bannedLines() reports ${JSON.stringify(line)} in ${path}`, () => {
      assert.equal(bannedLines(path, `first\n${line}\n`).length, 1)
    })
  }

  const right: readonly (readonly [path: string, line: string])[] = [
    ['src/site/foo.ts', '// Everything is done here'],
    ['src/foo.ts', "const route = '/v1/workers/home'"],
    ['test/foo.test.ts', "test('x', { skip: reason }, () => {})"],
  ]
  for (const [path, line] of right) {
    test(`bannedLines() passes ${JSON.stringify(line)} in ${path}`, () => {
      assert.deepEqual(bannedLines(path, line), [])
    })
  }

  test('unexplainedDisables() reports a directive without a rule or a reason, and passes one with both', () => {
    const bare = `/* oxlint-dis${''}able */`
    const named = `/* oxlint-dis${''}able max-lines */`
    const explained = `/* oxlint-dis${''}able max-lines -- a table */`
    const reports = [bare, named, explained].map((line) => unexplainedDisables('src/foo.ts', line).length)
    assert.deepEqual(reports, [1, 1, 0])
  })

  test('importedPorts() reports entropy outside its file, and passes it inside', () => {
    const line = "import { createHash, randomUUID } from 'node:crypto'\n"
    assert.equal(importedPorts('src/site/foo.ts', line).length, 1)
    assert.deepEqual(importedPorts('src/kernel/random.ts', line), [])
    assert.deepEqual(importedPorts('src/site/foo.ts', "import { createHash } from 'node:crypto'\n"), [])
  })
})
