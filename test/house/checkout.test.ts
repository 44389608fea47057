import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { missingOptionalPackages } from '../../scripts/complete-lockfile.ts'
import type { LockFile } from '../../scripts/complete-lockfile.ts'
import { repositoryRoot } from './repository.ts'

const directory = mkdtempSync(join(tmpdir(), 'hedgerow-launch-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** A checkout of nothing but the launcher, whose command line prints its arguments. */
function makeCheckout(name: string): string {
  const checkout = join(directory, name)
  mkdirSync(join(checkout, 'src/cli'), { recursive: true })
  copyFileSync(join(repositoryRoot, 'hedgerow'), join(checkout, 'hedgerow'))
  writeFileSync(join(checkout, 'src/cli/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)))\n')
  return checkout
}

test('the launcher runs from any directory, through a symbolic link, with its arguments whole', () => {
  const checkout = makeCheckout('a checkout')
  mkdirSync(join(checkout, 'node_modules/.bin'), { recursive: true })
  symlinkSync(process.execPath, join(checkout, 'node_modules/.bin/node'))
  symlinkSync(join('a checkout', 'hedgerow'), join(directory, 'linked'))
  const run = spawnSync(join(directory, 'linked'), ['ask', '--sql', "select 'a b'"], {
    cwd: tmpdir(),
    encoding: 'utf8',
  })
  assert.equal(run.stdout, `${JSON.stringify(['ask', '--sql', "select 'a b'"])}\n`)
})

test('the launcher says what to do where nothing is installed', () => {
  const run = spawnSync(join(makeCheckout('bare'), 'hedgerow'), [], { cwd: tmpdir(), encoding: 'utf8' })
  assert.equal(run.status, 2)
  assert.match(run.stderr, /run "make install" there/)
})

test('package-lock.json holds every platform package, so that "npm ci" accepts it everywhere', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as LockFile
  assert.deepEqual([...missingOptionalPackages(lock).keys()], [], 'run "make lockfile"')
})

test('missingOptionalPackages() gives the platform packages that were left out', () => {
  const missing = missingOptionalPackages({
    packages: {
      'node_modules/native': {
        version: '1.0.0',
        optionalDependencies: { '@n/linux-x64-musl': '^1.0.0', '@n/darwin-x64': '1.0.0' },
      },
      'node_modules/@n/darwin-x64': { version: '1.0.0' },
    },
  })
  assert.deepEqual(
    [...missing],
    [
      [
        'node_modules/@n/linux-x64-musl',
        { version: '1.0.0', cpu: ['x64'], os: ['linux'], libc: ['musl'], optional: true },
      ],
    ],
  )
})

test('every install script that the packages have is approved by name, on every platform', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as LockFile
  const { allowScripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    allowScripts: Record<string, boolean>
  }
  const withScript = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript === true)
  const names = withScript.map(([path]) => path.slice('node_modules/'.length))
  assert.deepEqual(names.toSorted(), Object.keys(allowScripts).toSorted())
})

test('docs/decisions/0002-dependencies.md has a row for every dependency, and no other', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/decisions/0002-dependencies.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].flatMap(([, name]) => name ?? [])
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>
  assert.deepEqual(rows.toSorted(), Object.keys({ ...dependencies, ...devDependencies }).toSorted())
})

test('what npm links as "hedgerow" runs the command line, with its exit code', () => {
  const { bin } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    bin: { hedgerow: string }
  }
  const source = bin.hedgerow.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(repositoryRoot, source), ...args], { encoding: 'utf8' })
  assert.match(run('--version').stdout, /^\d+\.\d+\.\d+\n$/)
  const wrong = run('no-such-verb')
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /unknown command 'no-such-verb'/)
})
