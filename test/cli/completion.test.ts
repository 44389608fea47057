import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

/** What a shell offers once the words are typed and the last one is begun. */
const OFFERED = {
  bash: (script: string, words: readonly string[]) =>
    run(
      'bash',
      ['-c'],
      `${script}
COMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}; _hedgerow; printf '%s\n' "\${COMPREPLY[@]}"`,
    ),
  // Completion widgets run only in a line editor: what they would be given is narrowed here as they would do it.
  zsh: (script: string, words: readonly string[]) =>
    run(
      'zsh',
      ['-f', '-c'],
      `compdef() { : }
${script}
compadd() { shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }
_files() { : }
words=(${quoted(words)}); CURRENT=${words.length}; _hedgerow`,
    ),
  fish: (script: string, words: readonly string[]) =>
    run('fish', ['--no-config', '-c'], `${script}\ncomplete -C "${words.join(' ')}"`),
} as const

/** Shells offer the names of files too where nothing else fits. */
const EMPTY = mkdtempSync(join(tmpdir(), 'hedgerow-empty-'))
after(() => {
  rmSync(EMPTY, { recursive: true })
})

function run(shell: string, flags: readonly string[], script: string): readonly string[] {
  return execFileSync(shell, [...flags, script], { encoding: 'utf8', cwd: EMPTY })
    .split('\n')
    .filter((word) => word !== '')
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ')
}

/** Whether a shell is here, with completion. */
function isHere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', shell === 'bash' ? 'type complete' : 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(
    `${shell} completes verbs, verbs of verbs and options, past values that were typed`,
    { skip: isHere(shell) ? false : `there is no ${shell} with completion here` },
    async (context) => {
      const { out: script, code } = await typedHere(await temporaryHome(context), ['completion', shell])
      assert.equal(code, 0)
      const cases: readonly [readonly string[], readonly string[]][] = [
        [
          ['hedgerow', 'of'],
          ['offers', 'officer'],
        ],
        [['hedgerow', 'officer', 'basis', 'pl'], ['plan']],
        [['hedgerow', 'site', 'serve', '--po'], ['--port']],
        [['hedgerow', 'site', 'serve', 'galway', '--po'], ['--port']],
        [['hedgerow', 'person', 'uses', '--person', '7', '--rea'], ['--reason']],
        [['hedgerow', 'nonsense-'], []],
      ]
      for (const [typed, expected] of cases)
        assert.deepEqual(OFFERED[shell](script, typed), expected, typed.join(' '))
    },
  )
}
