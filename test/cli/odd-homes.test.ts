import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { typedHere } from './typed-here.ts'

// A home in which nothing can be kept: one sentence, wrong use (a server: wrong settings), and nothing is made.

let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-home-'))
  await writeFile(join(directory, 'file'), 'as it was')
})
after(() => rm(directory, { recursive: true, force: true }))

const PLACE = ['--territory', 'IE', '--custodian', 'edgeworks', '--longitude', '-8.47', '--latitude', '51.9']
const VERBS: readonly (readonly [readonly string[], number])[] = [
  [['member', 'keys', 'northcare'], 2],
  [['site', 'init', 'cork', ...PLACE], 2],
  [['network', 'serve', '--port', '0'], 78],
]

async function refuses(home: string, says: RegExp): Promise<void> {
  for (const [verb, code] of VERBS) {
    const run = await typedHere(home, verb)
    assert.match(run.error, says, verb.join(' '))
    assert.equal(run.error.trimEnd().split('\n').length, 1, run.error)
    assert.equal(run.code, code, run.error)
    assert.equal(run.out, '')
  }
}

test('a home below which nothing can be made', { skip: !existsSync('/proc/self') }, () =>
  refuses(
    '/proc',
    /^Cannot make the directory "\/proc\/(?:members|sites|network)": nothing can be made there$/m,
  ),
)

test('a home that is a file, a device, or below one', async () => {
  await refuses(
    join(directory, 'file'),
    /^Cannot keep files under ".*file": it is not a directory; set HEDGEROW_HOME/,
  )
  await refuses(
    '/dev/null',
    /^Cannot keep files under "\/dev\/null": it is not a directory; set HEDGEROW_HOME/,
  )
  await refuses(
    join(directory, 'file', 'below'),
    /^Cannot keep files under ".*below": a part of the path is not a directory; set/,
  )
})

test('a home that is not there, or of another kind: what only reads says so, and makes nothing', async () => {
  const readers = [
    ['ledger', 'balance'],
    ['notices', 'list'],
    ['grant', 'list'],
    ['dataset', 'list'],
    ['receipt', 'list'],
    ['request', 'list'],
    ['site', 'doctor'],
    ['person', 'uses', '--person', 'p-1'],
  ]
  const nowhere = join(directory, 'nowhere')
  for (const verb of readers) {
    for (const [home, why] of [
      [nowhere, 'which is not there'],
      [directory, 'which is no directory of Hedgerow'],
    ] as const) {
      const run = await typedHere(home, verb)
      assert.ok(run.error.includes(`under "${home}", ${why}: `), run.error)
      assert.match(run.error, /set HEDGEROW_HOME to where yours is\n$/)
      assert.deepEqual([run.code, run.out], [2, ''])
    }
  }
  assert.deepEqual(await readdir(directory), ['file'])
})

test('a home in which the place of the sites is a file', async () => {
  const home = join(directory, 'file-for-sites')
  await mkdir(home)
  await writeFile(join(home, 'sites'), 'no directory')
  const run = await typedHere(home, ['dataset', 'list'])
  assert.match(run.error, /sites": it is not a directory; set HEDGEROW_HOME/)
  assert.equal(run.code, 2)
  await rm(home, { recursive: true })
})

test('a home with a line break, whose name is told on one line', async () => {
  await refuses(join(directory, 'two\nlines'), /two\\nlines": its name has a line break or another control/)
  assert.deepEqual(await readdir(directory), ['file'])
})
