import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../../src/kernel/faults.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'

import type { TestProcesses } from '../../src/testing/test-processes.ts'
import { fileBody } from '../../src/testing/test-trade.ts'
import { runCli } from '../cli/run-cli.ts'
import { cannotMount, fillDisk, mountDisk } from './small-disk.ts'

// A site, with its own PostgreSQL, on a disk that gets full while it imports.

const DISK_MB = 320
const WIDE_PEOPLE = 200
/** What is left on the disk when an import of 8 MB begins: too little for the file, for its rows, or to go on after it. */
const LEFT_MB = [0, 20, 36, 44]

const skip = await cannotMount()

test('a full disk: an import is refused whole, and taken once there is room', { skip }, async () => {
  await using processes = await onSmallDisk()
  const { siteIssuer, home, site } = processes
  let rows = PEOPLE
  for (const leftMb of LEFT_MB) {
    const name = `left-${leftMb}`
    const file = join(home, `${name}.csv`)
    await writeFile(file, wideCsv(name))
    const where = ['--site', 'galway', '--url', site.url, '--batch', name]
    const send = () => runCli(home, ['dataset', 'import', 'athletes', file, ...where])
    await using filler = await fillDisk(join(home, 'sites'), leftMb)
    const refused = await send()
    assert.deepEqual([refused.code, refused.out], [3, ''], refused.error)
    const [, needed, left] =
      /^The disk of the server is full, and nothing was taken; the import needs (\d+) MB of free space and there are (\d+) MB; free space on the disk of the data directory\n$/
        .exec(refused.error)
        ?.map(Number) ?? []
    assert.ok(needed !== undefined && left !== undefined, refused.error)
    assert.ok(needed > 32 && left < needed, refused.error)
    assert.ok(left <= (leftMb * 1024 * 1024) / 1_000_000, 'the room that there is')
    assert.equal((await siteIssuer.dataSets())[0]?.rows, rows)
    await filler.empty()
    const again = await send()
    assert.equal(again.code, 0, again.error)
    rows += WIDE_PEOPLE
    assert.equal((await siteIssuer.dataSets())[0]?.rows, rows)
  }
  assert.equal(await site.ended(), undefined, 'the site went on all the while')
})

test(
  'a disk that somebody else fills: what is written is refused or the site stops, and nothing is lost',
  { skip },
  async () => {
    await using processes = await onSmallDisk()
    const { siteIssuer, home, site } = processes
    await using filler = await fillDisk(join(home, 'sites'), 0.2)
    const revoked = new Set<string>()
    // The log of the record has a segment of 16 MiB to write on for a while.
    for (let round = 0; revoked.size < PEOPLE && round < 2_000; round += 1) {
      const person = `p-${round % PEOPLE}`
      try {
        await siteIssuer.revokeGrants([{ dataSet: 'athletes', person }])
        revoked.add(person)
      } catch (thrown) {
        assert.ok(thrown instanceof Fault)
        if (thrown instanceof PeerRefusal) {
          assert.equal(thrown.status, 503, thrown.message)
          assert.match(thrown.message, /disk of the server is full|database of the server is away/)
        }
        break
      }
    }
    await filler.empty()
    const how = await site.ended()
    if (how !== undefined) {
      assert.match(how, /ended because the disk is full; free space .* and start the server again/)
      await site.start()
    }
    await site.ready()
    const again = await siteIssuer.revokeGrants(
      [...revoked].map((person) => ({ dataSet: 'athletes', person })),
    )
    assert.deepEqual([again.changed, again.unchanged], [0, revoked.size], 'what was acknowledged stands')
  },
)

const PEOPLE = 40

async function onSmallDisk(): Promise<TestProcesses> {
  const processes = await testProcesses(process.env, {
    prepare: (home, opening) => mountDisk(join(home, 'sites'), DISK_MB, opening),
  })
  const { siteIssuer } = processes
  const people = testPeople(PEOPLE)
  await siteIssuer.describe(testManifest('athletes'))
  const body = fileBody(csvOf(people))
  await siteIssuer.importFile({ dataSet: 'athletes', batch: 'first', format: 'csv', body })
  await siteIssuer.giveGrants(people.map(({ id }) => testGrant('athletes', id)))
  return processes
}

function wideCsv(name: string): string {
  return csvOf(testPeople(WIDE_PEOPLE, (_, index) => ({ id: `${name}-${index}`, note: noteOf(index) })))
}

/** 40 kB that do not compress. */
function noteOf(seed: number): string {
  return Array.from({ length: 5_000 }, (_, index) =>
    Math.sin(seed * 5_000 + index)
      .toString(36)
      .slice(3, 11),
  ).join('')
}
