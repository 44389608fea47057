import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runDemoCli } from './run-demo-cli.ts'

/** Away from the ports that a demonstration of this machine's user may be using. */
const PORT = 20_000 + (process.pid % 20_000)

suite('the demonstration, as make run runs it', () => {
  let home: string
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-demo-'))
  })
  after(() => rm(home, { recursive: true, force: true }))

  const EXPECTED = [
    /Northcare.*galway\s+approved/,
    /Midland.*galway\s+approved[\s\S]*zurich\s+approved/,
    /Kestrel.*galway\s+approved/,
    /Pressbox.*partial\.columns/,
    /AdReach.*declined\.purpose/,
    /Quill.*declined\.group_too_small/,
    /Monsoon.*declined\.perimeter_release/,
    /Pennywise.*declined\.funds/,
    /Mask.*declined\.signature/,
    /Probe.*declined\.sql_function/,
    /Elbe.*declined\.evidence_expired/,
    /Elbe.*approved/,
    /Harbour.*declined\.differencing/,
    /Late, .*approved/,
    /Glacier.*zurich\s+approved/,
    /nobody in the data\s+gave any/,
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
      assert.equal(run.error, '')
    })
  }

  test('leaves no name of a person in any log of its servers', async () => {
    for (const name of await readdir(join(home, 'logs'))) {
      const log = await readFile(join(home, 'logs', name), 'utf8')
      for (const marker of ['Michael Phelps', 'Simone Biles', '736041664'])
        assert.ok(!log.includes(marker), `${marker} in ${name}`)
    }
  })
})
