import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, suite, test } from 'node:test'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { tellVerdict } from '../../src/demo/run-demo.ts'
import { runDemoCli } from './run-demo-cli.ts'

/** Away from the ports that a demonstration of this machine's user may be using, and from those that a system gives to whoever asks for any. */
const PORT = 20_000 + (process.pid % 6_000)

test('whoever changed a demonstration that was there is told that it counts, and how to start afresh', () => {
  for (const wasThere of [true, false]) {
    const out = new PassThrough()
    const terminal = { out, error: out, isInteractive: false, isErrorInteractive: false, columns: 80 }
    const said: string[] = []
    out.on('data', (piece: Buffer) => said.push(piece.toString()))
    tellVerdict({ terminal, home: 'there' }, { problems: ['galway: declined'], wasThere })
    assert.match(said.join(''), /✗ galway: declined\n {2}One expectation did not hold; .*"there\/logs"\n/)
    assert.equal(/This run went on[\s\S]*remove\s+"there"/.test(said.join('')), wasThere)
  }
})

suite('the demonstration, as make run runs it', () => {
  let home: string
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-demo-'))
  })
  after(() => rm(home, { recursive: true, force: true }))

  const EXPECTED = [
    /Northcare.*\n {4}galway +approved/,
    /Midland.*\n {4}galway +approved.*\n {4}zurich +approved/,
    /Kestrel.*\n {4}galway +approved/,
    /with noise\n {4}galway +approved/,
    /past the budget\n {4}galway +declined\.privacy_budget/,
    /Pressbox.*\n {4}galway +partial\.columns/,
    /AdReach.*\n {4}galway +declined\.purpose/,
    /Quill.*\n {4}galway +declined\.group_too_small/,
    /Monsoon.*\n {4}galway +declined\.perimeter_release/,
    /Pennywise.*\n {4}network +declined\.funds/,
    /Mask.*\n {4}network +declined\.signature/,
    /Probe.*\n {4}galway +declined\.sql_function/,
    /Elbe.*\n {4}dresden +declined\.evidence_expired/,
    /Elbe.*\n {4}dresden +approved/,
    /Harbour.*\n {4}galway +declined\.differencing/,
    /Late, .*\n {4}galway +approved/,
    /Glacier.*\n {4}zurich +approved/,
    /nobody\s+in\s+the\s+data\s+gave\s+any/,
    /positions add up to zero/,
    /difference 0\.00 EUR/,
    /receipts verify off line/,
    /Every expectation held/,
  ]

  for (const what of ['from nothing', 'again, from what is on disk']) {
    test(`carries every ask to its end and stops with 0: ${what}`, async () => {
      const run = await runDemoCli(home, ['--once', '--port', String(PORT)])
      assert.equal(run.code, 0, `${run.out}\n${run.error}`)
      for (const line of EXPECTED) assert.match(run.out, line)
      for (const line of run.out.split('\n')) assert.ok(line.length <= 110, `too wide to be read: ${line}`)
      assert.equal(run.error, '')
    })
  }

  test('says in one sentence that its ports are taken, starts nothing and leaves what is on disk', async () => {
    const taken = createServer((_, response) => response.end('ok')).listen(PORT, '127.0.0.1')
    await once(taken, 'listening')
    const run = await runDemoCli(home, ['--once', '--port', String(PORT)])
    const first = await runDemoCli(join(home, 'none'), ['--once', '--port', String(PORT)])
    taken.close()
    assert.equal(first.error, run.error)
    assert.ok(!existsSync(join(home, 'none')), 'nothing is made before it is known that it can run')
    assert.equal(
      run.error,
      `Cannot start network: another program is at http://127.0.0.1:${PORT} already; stop it, or choose other ports with --port (make run PORT=8400)\n`,
    )
    assert.equal(run.code, 1)
    for (const offset of [11, 12, 13])
      await assert.rejects(fetch(`http://127.0.0.1:${PORT + offset}/healthz`), 'no site was left behind')
  })

  test('leaves no name of a person in any log of its servers', async () => {
    for (const name of await readdir(join(home, 'logs'))) {
      const log = await readFile(join(home, 'logs', name), 'utf8')
      for (const marker of ['Michael Phelps', 'Simone Biles', '736041664'])
        assert.ok(!log.includes(marker), `${marker} in ${name}`)
    }
  })
})
