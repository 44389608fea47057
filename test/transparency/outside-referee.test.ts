import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ReceiptBundle } from '../../src/protocol/decision.ts'
import { formatNoteKey } from '../../src/protocol/proof/note-key.ts'
import { openTestLog } from './open-test-log.ts'

/** Builds the program in `referee/`, which uses the library behind Go's checksum database; says why it cannot. */
function buildReferee(directory: string): { program: string } | { reason: string } {
  const program = join(directory, 'referee')
  const source = fileURLToPath(new URL('referee', import.meta.url))
  const built = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: source,
    encoding: 'utf8',
    timeout: 110_000,
  })
  if (built.error) return { reason: 'Go is not installed' }
  if (built.status !== 0)
    return { reason: `Go cannot build the referee here: ${built.stderr.trim().split('\n').at(-1) ?? ''}` }
  return { program }
}

test(
  'checkpoint, tiles and proofs hold for an implementation that is not ours',
  { timeout: 120_000 },
  async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'hedgerow-referee-'))
    try {
      const referee = buildReferee(directory)
      if ('reason' in referee) return context.skip(referee.reason)
      await using site = await openTestLog()
      const verifier = formatNoteKey({ name: 'hedgerow/galway', key: site.key.publicJwk }, 'note')
      const judge = (bundle: ReceiptBundle): string => {
        writeFileSync(join(directory, 'bundle.json'), JSON.stringify(bundle))
        return spawnSync(
          referee.program,
          [join(site.directory, 'log'), verifier, join(directory, 'bundle.json')],
          { encoding: 'utf8' },
        ).stdout.trim()
      }
      for (const count of [1, 2, 253, 1, 44, 700]) {
        const issued = await site.issue(count)
        const last = issued.at(-1)?.sequence ?? 0
        for (const sequence of new Set([0, last, Math.floor(last / 2)]))
          assert.equal(judge(await site.log.bundle(sequence)), 'good', `receipt ${sequence} of ${last + 1}`)
      }
      const bundle = await site.log.bundle(7)
      assert.match(judge({ ...bundle, receipt: `${bundle.receipt}A` }), /^refused/)
      assert.match(
        judge({
          ...bundle,
          log: { ...bundle.log, checkpoint: bundle.log.checkpoint.replace('1001', '1002') },
        }),
        /^refused/,
      )
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
