import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './repository.ts'

/** One complaint of the linter: which rule, in which file of the planted project. */
export interface Complaint {
  readonly rule: string
  readonly path: string
}

/**
 * Writes `files` into an empty project that has this repository's settings, lints it and gives the complaints.
 *
 * The project lies outside the repository, so that a planted violation can never be committed or seen by another test.
 */
export function lintPlanted(files: Readonly<Record<string, string>>): Complaint[] {
  const directory = mkdtempSync(join(tmpdir(), 'hedgerow-house-'))
  try {
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
      copyFileSync(join(repositoryRoot, name), join(directory, name))
    }
    symlinkSync(join(repositoryRoot, 'node_modules'), join(directory, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    const folders = new Set(Object.keys(files).map((path) => path.split('/')[0] ?? path))
    return lint(directory, [...folders])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function lint(directory: string, folders: readonly string[]): Complaint[] {
  const run = spawnSync(join(repositoryRoot, 'node_modules/.bin/oxlint'), ['--format=json', ...folders], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const report = JSON.parse(run.stdout) as {
    diagnostics: { code?: string; message: string; filename: string }[]
  }
  return report.diagnostics.map(({ code, message, filename }) => ({
    rule: /\((.+)\)$/.exec(code ?? '')?.[1] ?? message,
    path: filename,
  }))
}
