import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite, test } from 'node:test'
import { ROOT, anchorsOf, linksOf, pages, textOf } from './pages.ts'

const DECISIONS = pages()
  .filter((path) => /^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/.test(path))
  .toSorted()
const numberOf = (path: string) => /\/(\d{4})-/.exec(path)?.[1] ?? ''

suite('links of the documentation', () => {
  test('lead to files that are there, and to headings that they have', () => {
    const broken = pages().flatMap((page) =>
      linksOf(page)
        .filter(({ path, anchor }) => !isThere(path, anchor))
        .map(({ written }) => `${page}: ${written}`),
    )
    assert.deepEqual(broken, [])
  })

  test('reach every page from the index, and the index from the README', () => {
    const reached = new Set<string>()
    const open = ['README.md']
    for (let page = open.pop(); page !== undefined; page = open.pop()) {
      if (reached.has(page) || !page.endsWith('.md')) continue
      reached.add(page)
      open.push(...linksOf(page).map(({ path }) => path))
    }
    assert.deepEqual(
      pages().filter((page) => !reached.has(page)),
      [],
    )
  })

  test('paths of the source that a page names are there', () => {
    const missing = pages()
      .filter((page) => !page.startsWith('docs/reference/'))
      .flatMap((page) =>
        [...textOf(page).matchAll(/`((?:src|test|bench|scripts)\/[\w./-]+)`/g)]
          .map((match) => match[1] ?? '')
          .filter((path) => !existsSync(join(ROOT, path)))
          .map((path) => `${page}: ${path}`),
      )
    assert.deepEqual(missing, [])
  })

  test('files of the source that a page names without their folder are there', () => {
    const tree = execFileSync('git', ['ls-files', 'src', 'test', 'bench', 'scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const files = new Set(tree.split('\n').map((path) => basename(path)))
    const missing = pages().flatMap((page) =>
      [...textOf(page).matchAll(/`([\w/-]+\.ts)`/g)]
        .map((match) => basename(match[1] ?? ''))
        .filter((name) => !files.has(name))
        .map((name) => `${page}: ${name}`),
    )
    assert.deepEqual(missing, [])
  })
})

suite('decisions', () => {
  test('are numbered without gaps and each says context, decision and consequences', () => {
    assert.deepEqual(
      DECISIONS.map(numberOf),
      DECISIONS.map((_, index) => String(index + 1).padStart(4, '0')),
    )
    for (const path of DECISIONS) {
      const headings = anchorsOf(path)
      for (const heading of ['context', 'decision', 'consequences'])
        assert.ok(headings.has(heading), `${path} has no "${heading}"`)
    }
  })

  test('that the code cites are there', () => {
    const cited = execFileSync(
      'git',
      [
        'grep',
        '-hoE',
        '(ADR|[Dd]ecision|decisions/) ?[0-9]{4}($|[^0-9/])',
        '--',
        'src',
        'test',
        'bench',
        'docs',
      ],
      { cwd: ROOT, encoding: 'utf8' },
    )
    const numbers = new Set([...cited.matchAll(/[0-9]{4}/g)].map(([number]) => number))
    const known = new Set(DECISIONS.map(numberOf))
    assert.deepEqual(
      [...numbers].filter((number) => !known.has(number)),
      [],
    )
  })
})

function isThere(path: string, anchor: string | undefined): boolean {
  if (!existsSync(join(ROOT, path))) return false
  return anchor === undefined || !path.endsWith('.md') || anchorsOf(path).has(anchor)
}
