import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { runCli, temporaryHome } from './run-cli.ts'

/** What bash offers once the words are typed and the last one is begun. */
function offered(script: string, words: readonly string[]): readonly string[] {
  const typed = words.map((word) => `'${word}'`).join(' ')
  const ask = `${script}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _hedgerow; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', ask], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '')
}

function hasBash(): boolean {
  try {
    return execFileSync('bash', ['-c', 'type complete'], { stdio: 'ignore' }) !== undefined
  } catch {
    return false
  }
}

test(
  'bash completes verbs, verbs of verbs and options, past values that were typed',
  { skip: hasBash() ? false : 'there is no bash with completion here' },
  async (context) => {
    const { out: script, code } = await runCli(await temporaryHome(context), ['completion'])
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
    for (const [typed, expected] of cases) assert.deepEqual(offered(script, typed), expected, typed.join(' '))
  },
)
